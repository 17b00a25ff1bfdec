"""The owner upgrades: a Checkout session that sells the plan, alone or with add-ons."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy.exc import IntegrityError

from chassis.database.database import Database
from chassis.problems import Problem
from chassis.process.logs import get_logger
from chassis.recovery import epochs
from purchases.catalog_copy import plans
from purchases.catalog_copy.provision_plan import provision_plan_price, to_be_sold
from purchases.catalog_copy.provision_price import forget_dead_price, provision_price
from purchases.catalog_copy.rows import Addon
from purchases.catalog_copy.withdraw_addon import Offer, withdraw_if_not_charged
from purchases.checkout import store as checkouts
from purchases.checkout.end_checkout import (
    apply_session,
    enqueue_subscription_sync,
    expire_checkout,
    lock_checkout,
    nothing_was_opened,
)
from purchases.checkout.rows import CheckoutSession
from purchases.checkout.start_checkout import Upgrade, items_of, refuse_if_taken, repeated, start
from purchases.customers.usable_customer import (
    ensure_usable_customer,
    map_stripe_errors,
    refused_by_stripe,
    stripe_unavailable,
)
from purchases.jobs.lease import LeaseRanOut, database_now, is_leased, renewing
from purchases.jobs.stripe_context import StripeContext
from purchases.ledger import problems
from purchases.ledger import store as ledger
from purchases.ledger.learn_ids import release_waiting
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.stripe_api.catalog.prices import is_sellable
from purchases.stripe_api.checkout import FetchedSession, expire_session, fetch_checkout, open_subscription
from purchases.stripe_api.client import ObjectMissing, OutcomeUnknown, StripeRefused
from purchases.stripe_api.since import FORGOTTEN_WITHIN
from purchases.stripe_api.values import SoldAddon
from purchases.stripe_refusals.store import keep_refusal
from purchases.subscriptions.end_unfinished import make_room
from purchases.subscriptions.problems import checkout_busy

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """The Checkout, and whether an earlier request had opened it."""

    session_id: str
    url: str
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutContext(StripeContext):
    """Where one request works, and how long what it writes is leased."""

    lease: timedelta


async def open_checkout(context: CheckoutContext, upgrade: Upgrade) -> Opened:
    """Open a Checkout, after the one that is in its way was ended.

    Raises Problem 404, 409 or 422 for what cannot be sold like this now, 502 or 503 as Stripe answers.
    """
    async with context.database.reading() as session:
        known = await repeated(session, upgrade)
        if known is None:
            await problems.refuse_while_recovering(session)
            restored = await epochs.changed_within(session, FORGOTTEN_WITHIN)
            items = await items_of(session, upgrade)
            in_the_way = await checkouts.live(session, upgrade.workspace_id)
            await refuse_if_taken(session, upgrade, items, excluding=in_the_way)
    if known is not None:
        return await _repeat(context, known)
    async with map_stripe_errors(context.database, workspace_id=upgrade.workspace_id):
        customer = await ensure_usable_customer(context, workspace_id=upgrade.workspace_id)
        prices = {addon.id: await _price_of(context, addon) for addon in items.addons}
    if in_the_way is not None:
        cause = Cause(actor=upgrade.buyer, at=datetime.now(UTC), reason="another Checkout was started")
        await expire_checkout(database=context.database, client=context.client, checkout=in_the_way, cause=cause)
    async with map_stripe_errors(context.database, workspace_id=upgrade.workspace_id):
        await make_room(context, workspace_id=upgrade.workspace_id)
    try:
        async with context.database.transaction() as session:
            checkout = await start(session, upgrade, context.lease, context.instance, customer.customer_id, prices)
    except IntegrityError as error:
        raise checkout_busy() from error
    return await _open_leased(context, checkout, look=restored)


async def _repeat(context: CheckoutContext, known: CheckoutSession) -> Opened:
    """Return the same page to a repeat; where the first answer was lost, fetch the session, or open it once more."""
    if known.state not in checkouts.LIVE:
        raise checkout_over(known.state)
    if known.state == "open":
        return Opened(str(known.stripe_session_id), str(known.url), repeated=True)
    async with context.database.transaction() as session:
        await problems.refuse_while_recovering(session)
        checkout, _ = await lock_checkout(session, checkout_id=known.id, workspace_id=known.workspace_id)
        now = await database_now(session)
        if checkout.state != "asking" or is_leased(checkout.leased_until, now=now):
            raise checkout_busy()
        checkout.leased_until = now + context.lease
    return await _open_leased(context, checkout, look=True)


async def _open_leased(context: CheckoutContext, checkout: CheckoutSession, *, look: bool = False) -> Opened:
    """Open the session while the lease is renewed; `look`: unless an earlier request has opened it."""
    renew = partial(checkouts.renew_lease, checkout_id=checkout.id, lease=context.lease)
    try:
        async with renewing(context.database, lease=context.lease, renew=renew):
            seen = await _fetch(context, checkout) if look else None
            return await _open(context, checkout) if seen is None else await _store_opened(context, checkout, seen)
    except LeaseRanOut as error:
        raise stripe_unavailable() from error


async def _fetch(context: CheckoutContext, checkout: CheckoutSession) -> FetchedSession | None:
    try:
        return await fetch_checkout(context.client, checkouts.sale_of(checkout))
    except ObjectMissing:
        return None  # who is no customer has no session
    except OutcomeUnknown as error:
        await _release_lease(context.database, checkout)
        raise stripe_unavailable() from error
    except StripeRefused as error:
        await _release_lease(context.database, checkout)
        raise await refused_by_stripe(context.database, error, workspace_id=checkout.workspace_id) from error


async def _price_of(context: CheckoutContext, addon: Addon) -> str:
    """Return the add-on's price, made where it has none: in Checkout a line is only known by its price."""
    if addon.stripe_price_id is not None:
        return addon.stripe_price_id
    return await _provisioned(context, addon.sold, uuid.uuid4())


async def _provisioned(context: CheckoutContext, sold: SoldAddon, checkout_id: uuid.UUID) -> str:
    """Return the price of `sold`, found or made; an amount that Stripe does not charge is off sale from now on."""
    try:
        return await provision_price(context, sold=sold, asked_for=checkout_id)
    except StripeRefused as error:
        offer = Offer(addon_id=sold.addon_id, price_cents=sold.price_cents, currency=sold.currency)
        await withdraw_if_not_charged(
            context.database, error, offer, instance=context.instance, asked_cents=sold.price_cents
        )
        raise


async def _open(context: CheckoutContext, checkout: CheckoutSession, *, revive: bool = True) -> Opened:
    """Open the session at Stripe. A lost answer is for a repeat of the request, or for `settle_checkout`, to find out.

    `revive`: refused, it is opened once more if a price in it was archived, or is gone, and could be replaced.
    """
    try:
        seen = await open_subscription(
            context.client,
            instance=context.instance,
            sale=checkouts.sale_of(checkout),
            addon_prices=await _prices_of(context.database, checkout),
        )
    except OutcomeUnknown as error:
        await _release_lease(context.database, checkout, answered=error.stored)
        raise stripe_unavailable() from error
    except StripeRefused as error:
        revived = await _with_living_prices(context, checkout) if revive else None
        if revived is not None:
            await keep_refusal(context.database, error, workspace_id=checkout.workspace_id)
            return await _open(context, revived, revive=False)
        await _give_up(context, checkout, error)
        raise await refused_by_stripe(context.database, error, workspace_id=checkout.workspace_id) from error
    return await _store_opened(context, checkout, seen)


async def _with_living_prices(context: CheckoutContext, checkout: CheckoutSession) -> CheckoutSession | None:
    """Replace the prices that Stripe sells no more, and return the Checkout; None where none could be had.

    Found by their lookup keys, or made: they are published to the catalog, and what is sold next has them too.
    """
    async with context.database.reading() as session:
        found = [await ledger.find(session, uuid.UUID(one)) for one in checkout.purchase_ids]
    try:
        of_plan = await _replaced(context, checkout)
        of_addons = {one.id: await _replaced_of_addon(context, one, checkout.id) for one in found if one is not None}
    except (OutcomeUnknown, StripeRefused) as error:
        log.warning("price_not_replaced", checkout=str(checkout.id), error=repr(error)[:500])
        return None
    if not any((of_plan, *of_addons.values())):
        return None
    async with context.database.transaction() as session:
        row, purchases = await lock_checkout(session, checkout_id=checkout.id, workspace_id=checkout.workspace_id)
        if row.state not in checkouts.LIVE:
            return None
        for purchase in purchases:
            purchase.stripe_price_id = of_addons.get(purchase.id) or purchase.stripe_price_id
        row.stripe_price_id, row.attempt = of_plan or row.stripe_price_id, row.attempt + 1
        row.leased_until = await database_now(session) + context.lease
        return row


async def _replaced_of_addon(context: CheckoutContext, purchase: Purchase, checkout_id: uuid.UUID) -> str | None:
    """Return another price for what the row sells, at what the owner saw; None where Stripe takes the one it has."""
    if await is_sellable(context.client, str(purchase.stripe_price_id)):
        return None
    return await _provisioned(context, ledger.sold_addon_of(purchase), checkout_id)


async def _replaced(context: CheckoutContext, checkout: CheckoutSession) -> str | None:
    """Return another price of the plan; None where Stripe takes the one it has, or it is not sold so any more."""
    if await is_sellable(context.client, checkout.stripe_price_id):
        return None
    async with context.database.reading() as session:
        plan = await plans.find(session, checkout.plan)
    slot = (checkout.interval, checkout.currency)
    price = next((one for one in plan.prices if (one["interval"], one["currency"]) == slot), None) if plan else None
    if plan is None or price is None:
        return None
    if price["stripe_price_id"] not in (None, checkout.stripe_price_id):
        return str(price["stripe_price_id"])
    return await provision_plan_price(
        context,
        sold=to_be_sold(plan, {**price, "pending_price_cents": None}),  # at what the owner saw
        asked_for=f"checkout:{checkout.id}",
    )


async def _prices_of(database: Database, checkout: CheckoutSession) -> list[str]:
    async with database.reading() as session:
        rows = [await ledger.find(session, uuid.UUID(one)) for one in checkout.purchase_ids]
    return [str(row.stripe_price_id) for row in rows if row is not None]


async def _release_lease(database: Database, checkout: CheckoutSession, *, answered: bool = False) -> None:
    """Release the lease; `answered`: by a 5xx, which Stripe repeats for ever under one key, so the next has another."""
    async with database.transaction() as session:
        row, _ = await lock_checkout(session, checkout_id=checkout.id, workspace_id=checkout.workspace_id)
        row.leased_until = None
        row.attempt = checkout.attempt + 1 if answered else row.attempt


async def _give_up(context: CheckoutContext, checkout: CheckoutSession, error: StripeRefused) -> None:
    """End the refused Checkout, and drop prices that Stripe no longer takes: others are made next time."""
    async with context.database.transaction() as session:
        row, purchases = await lock_checkout(session, checkout_id=checkout.id, workspace_id=checkout.workspace_id)
        cause = Cause(actor="stripe", at=datetime.now(UTC), reason=f"Stripe refused the Checkout: {error.code}")
        code = error.code or "stripe_refused"
        nothing_was_opened(session, checkout=row, purchases=purchases, cause=cause, code=code)
    for one in purchases:
        await forget_dead_price(context, addon_id=one.plan_addon_id, stripe_price_id=str(one.stripe_price_id))


async def _store_opened(context: CheckoutContext, checkout: CheckoutSession, seen: FetchedSession) -> Opened:
    """Store the session, unless the Checkout was ended meanwhile: then nobody may pay on it."""
    async with context.database.transaction() as session:
        row, purchases = await lock_checkout(session, checkout_id=checkout.id, workspace_id=checkout.workspace_id)
        ours = row.state in checkouts.LIVE
        if ours:
            cause = Cause(actor="stripe", at=datetime.now(UTC))
            learned = await apply_session(session, checkout=row, purchases=purchases, seen=seen, cause=cause)
            await release_waiting(session, [one for _, ids in learned for one in ids])
            await enqueue_subscription_sync(session, row, seen)
        state = row.state
    if ours and state != "open":
        raise checkout_over(state)
    if ours:
        return Opened(seen.session_id, str(seen.url), repeated=False)
    async with map_stripe_errors(context.database, workspace_id=checkout.workspace_id):
        await expire_session(context.client, seen.session_id)
    raise checkout_busy()


def checkout_over(state: str) -> Problem:
    """Return a 409: a repeat of a request whose page is over."""
    return Problem(
        409, "checkout-over", "This Checkout is over", "Start another one, with another Idempotency-Key.", state=state
    )
