"""The owner upgrades: a Checkout session that sells the plan, alone or with add-ons."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from stripe import StripeClient

from chassis.database import Database
from contracts import purchase_facts
from purchases import refusals
from purchases.domain.transitions import HOLDS_SLOT, Status
from purchases.handlers.end_checkout import expire_checkout, follow, is_leased, locked, nothing_was_opened
from purchases.handlers.learn_ids import release
from purchases.handlers.living_customer import living_customer, nothing_written, refused_by_stripe
from purchases.handlers.move_purchase import record_start
from purchases.handlers.provision_price import forget_dead_price, provision_price
from purchases.payments.checkout import SessionSeen, expire_session, open_subscription
from purchases.payments.client import OutcomeUnknown, StripeRefused
from purchases.payments.prices import SoldAddon
from purchases.publisher import Cause, announce
from purchases.store import addons, checkouts, commands, ledger, workspaces
from purchases.store.rows import Addon, CheckoutSession, Purchase, Workspace

OPEN_FOR: Final = timedelta(minutes=33)
"""Stripe wants half an hour at least, counted from when it hears of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What the owner asked for; `currency` None: that of the add-ons, else the plan's first."""

    workspace_id: str
    plan: str
    interval: str
    currency: str | None
    addons: tuple[str, ...]
    success_url: str
    cancel_url: str
    idempotency_key: str
    buyer: str

    @property
    def fingerprint(self) -> str:
        """The body: the same key with another one is refused."""
        body = [self.plan, self.interval, self.currency, self.addons, self.success_url, self.cancel_url]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Opened:
    """The Checkout, and whether an earlier request had opened it."""

    session_id: str
    url: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the catalog says of it."""

    currency: str
    stripe_price_id: str
    addons: tuple[Addon, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one request works."""

    database: Database
    client: StripeClient
    instance: str
    lease: timedelta


async def open_checkout(desk: Desk, upgrade: Upgrade) -> Opened:
    """Open a Checkout, after the one that is in its way was ended. Raises a Problem."""
    async with desk.database.reading() as session:
        known = await _repeated(session, upgrade)
        if known is None:
            wanted = await _wanted(session, upgrade)
            in_the_way = await checkouts.live(session, upgrade.workspace_id)
            await _refuse_if_taken(session, upgrade, wanted, besides=in_the_way)
    if known is not None:
        return await _again(desk, known)
    checkout_id = uuid.uuid4()
    with nothing_written():
        customer = await living_customer(
            database=desk.database, client=desk.client, instance=desk.instance, workspace_id=upgrade.workspace_id
        )
        prices = {addon.id: await _price_of(desk, addon, checkout_id) for addon in wanted.addons}
    if in_the_way is not None:
        cause = Cause(actor=upgrade.buyer, at=datetime.now(UTC), reason="another Checkout was started")
        await expire_checkout(database=desk.database, client=desk.client, checkout=in_the_way, cause=cause)
    try:
        async with desk.database.transaction() as session:
            checkout = await _start(session, desk, upgrade, checkout_id, customer.customer_id, prices)
    except IntegrityError as error:
        raise refusals.checkout_busy() from error
    return await _ask(desk, checkout)


async def _repeated(session: AsyncSession, upgrade: Upgrade) -> CheckoutSession | None:
    known = await checkouts.of_request(
        session, workspace_id=upgrade.workspace_id, idempotency_key=upgrade.idempotency_key
    )
    if known is not None and known.request_fingerprint != upgrade.fingerprint:
        raise refusals.key_reused()
    return known


async def _again(desk: Desk, known: CheckoutSession) -> Opened:
    """A repeat gets the same page; one whose first answer was never heard asks Stripe under the same key."""
    if known.state not in checkouts.LIVE:
        raise refusals.checkout_over(known.state)
    if known.state == "open":
        return Opened(str(known.stripe_session_id), str(known.url), repeated=True)
    if is_leased(known):
        raise refusals.checkout_busy()
    async with desk.database.transaction() as session:
        checkout, _ = await locked(session, checkout_id=known.id, workspace_id=known.workspace_id)
        checkout.leased_until = datetime.now(UTC) + desk.lease
    return await _ask(desk, checkout)


async def _wanted(session: AsyncSession, upgrade: Upgrade) -> _Wanted:
    plan = await checkouts.plan(session, upgrade.plan)
    if plan is None:
        raise refusals.plan_not_found(upgrade.plan)
    bundle = tuple([await _sellable(session, slug) for slug in upgrade.addons])
    offered = {price["currency"]: price for price in plan.prices if price["interval"] == upgrade.interval}
    currency = upgrade.currency or next((one.currency for one in bundle), None) or next(iter(offered), None)
    price_id = offered.get(currency or "", {}).get("stripe_price_id")
    if currency is None or price_id is None:
        raise refusals.plan_not_sold(plan=upgrade.plan, interval=upgrade.interval, currency=currency)
    for addon in bundle:
        if addon.currency != currency:
            raise refusals.currency_mismatch(addon, currency=currency)
    return _Wanted(currency, str(price_id), bundle)


async def _sellable(session: AsyncSession, slug: str) -> Addon:
    addon = await addons.by_slug(session, slug)
    if addon is None:
        raise refusals.addon_not_found(slug)
    if not addon.is_active:
        raise refusals.addon_inactive(slug)
    return addon


async def _refuse_if_taken(
    session: AsyncSession, upgrade: Upgrade, wanted: _Wanted, *, besides: CheckoutSession | None = None
) -> None:
    """`besides`: what that Checkout sells is free as soon as it is ended."""
    if await checkouts.runs_a_subscription(session, upgrade.workspace_id):
        raise refusals.already_subscribed()
    ending = set(besides.purchase_ids) if besides else set()
    for addon in wanted.addons:
        holder = await ledger.slot_holder(session, workspace_id=upgrade.workspace_id, addon_id=addon.id)
        if holder is not None and str(holder.id) not in ending:
            raise refusals.already_purchased(holder) if holder.status in HOLDS_SLOT else refusals.settling(holder)


async def _price_of(desk: Desk, addon: Addon, checkout_id: uuid.UUID) -> str:
    """In Checkout a line can only be known by its price, so each add-on needs one."""
    if addon.stripe_price_id is not None:
        return addon.stripe_price_id
    sold = SoldAddon(
        addon_id=addon.id,
        slug=addon.slug,
        name=addon.name,
        price_cents=addon.price_cents,
        currency=addon.currency,
    )
    return await provision_price(
        database=desk.database, client=desk.client, instance=desk.instance, sold=sold, asked_for=checkout_id
    )


async def _start(
    session: AsyncSession,
    desk: Desk,
    upgrade: Upgrade,
    checkout_id: uuid.UUID,
    customer_id: str,
    prices: dict[uuid.UUID, str],
) -> CheckoutSession:
    """Commit to the Checkout and its bundle before Stripe is asked. Everything is looked at again, under the lock."""
    workspace = await workspaces.lock(session, upgrade.workspace_id)
    if workspace is None:
        raise refusals.workspace_not_found()
    if await _repeated(session, upgrade) or await checkouts.live(session, upgrade.workspace_id):
        raise refusals.checkout_busy()
    wanted = await _wanted(session, upgrade)
    await _refuse_if_taken(session, upgrade, wanted)
    now = datetime.now(UTC)
    bundle = [
        _row(upgrade, addon, workspace, customer_id, prices, f"checkout:{checkout_id}:{number}", now)
        for number, addon in enumerate(wanted.addons)
    ]
    checkout = CheckoutSession(
        id=checkout_id,
        workspace_id=upgrade.workspace_id,
        stripe_customer_id=customer_id,
        state="asking",
        plan=upgrade.plan,
        interval=upgrade.interval,
        currency=wanted.currency,
        stripe_price_id=wanted.stripe_price_id,
        purchase_ids=[str(purchase.id) for purchase in bundle],
        success_url=upgrade.success_url,
        cancel_url=upgrade.cancel_url,
        idempotency_key=upgrade.idempotency_key,
        request_fingerprint=upgrade.fingerprint,
        asked_by=upgrade.buyer,
        leased_until=now + desk.lease,
        expires_at=now + OPEN_FOR,
        created_at=now,
        updated_at=now,
    )
    session.add(checkout)
    await _announce(session, bundle, Cause(actor=upgrade.buyer, at=now, reason="in a Checkout of the plan"))
    await commands.ask(session, kind="settle_checkout", subject=str(checkout_id), after=desk.lease)
    return checkout


async def _announce(session: AsyncSession, bundle: Sequence[Purchase], cause: Cause) -> None:
    for purchase in bundle:
        session.add(purchase)
        announce(session, purchase, purchase_facts.PurchaseStarted, cause=cause)
    await session.flush()
    for purchase in bundle:
        record_start(session, purchase, cause=cause)


def _row(
    upgrade: Upgrade,
    addon: Addon,
    workspace: Workspace,
    customer_id: str,
    prices: dict[uuid.UUID, str],
    key: str,
    now: datetime,
) -> Purchase:
    """The price that Checkout will show: it was read before, so a change since then means to ask again."""
    price_id = prices.get(addon.id)
    if price_id is None or addon.stripe_price_id not in (None, price_id):
        raise refusals.price_changed(addon)
    return Purchase(
        id=uuid.uuid4(),
        workspace_id=workspace.id,
        workspace=workspace,
        plan_addon_id=addon.id,
        addon_slug=addon.slug,
        addon_name=addon.name,
        price_cents=addon.price_cents,
        currency=addon.currency,
        stripe_price_id=price_id,
        status=Status.PENDING,
        payable=True,
        sequence=0,
        idempotency_key=key,
        request_fingerprint=upgrade.fingerprint,
        bought_by=upgrade.buyer,
        return_url=upgrade.success_url,
        stripe_customer_id=customer_id,
        payments=[],
        refunds=[],
        started_at=now,
        updated_at=now,
    )


async def _ask(desk: Desk, checkout: CheckoutSession) -> Opened:
    """Ask Stripe for the session. Unheard, it is for a repeat of the request, or for `settle_checkout`, to find out."""
    try:
        seen = await open_subscription(
            desk.client,
            instance=desk.instance,
            checkout=checkout,
            addon_prices=await _prices_of(desk.database, checkout),
        )
    except OutcomeUnknown as error:
        await _let_go(desk.database, checkout)
        raise refusals.stripe_unavailable() from error
    except StripeRefused as error:
        await _give_up(desk, checkout, error)
        raise refused_by_stripe(error) from error
    return await _opened(desk, checkout, seen)


async def _prices_of(database: Database, checkout: CheckoutSession) -> list[str]:
    async with database.reading() as session:
        rows = [await ledger.find(session, uuid.UUID(one)) for one in checkout.purchase_ids]
    return [str(row.stripe_price_id) for row in rows if row is not None]


async def _let_go(database: Database, checkout: CheckoutSession) -> None:
    async with database.transaction() as session:
        row, _ = await locked(session, checkout_id=checkout.id, workspace_id=checkout.workspace_id)
        row.leased_until = None


async def _give_up(desk: Desk, checkout: CheckoutSession, error: StripeRefused) -> None:
    """What Stripe refused may be a price that it no longer takes: another one is made next time."""
    async with desk.database.transaction() as session:
        row, purchases = await locked(session, checkout_id=checkout.id, workspace_id=checkout.workspace_id)
        cause = Cause(actor="stripe", at=datetime.now(UTC), reason=f"Stripe refused the Checkout: {error.code}")
        code = error.code or "stripe_refused"
        nothing_was_opened(session, checkout=row, purchases=purchases, cause=cause, code=code)
    for one in purchases:
        await forget_dead_price(
            database=desk.database,
            client=desk.client,
            addon_id=one.plan_addon_id,
            stripe_price_id=str(one.stripe_price_id),
        )


async def _opened(desk: Desk, checkout: CheckoutSession, seen: SessionSeen) -> Opened:
    """Store the session, unless the Checkout was ended meanwhile: then nobody may pay on it."""
    async with desk.database.transaction() as session:
        row, purchases = await locked(session, checkout_id=checkout.id, workspace_id=checkout.workspace_id)
        ours = row.state in checkouts.LIVE
        if ours:
            cause = Cause(actor="stripe", at=datetime.now(UTC))
            learned = await follow(session, checkout=row, purchases=purchases, seen=seen, cause=cause)
            await release(session, [one for _, ids in learned for one in ids])
    if ours:
        return Opened(seen.session_id, str(seen.url), repeated=False)
    with nothing_written():
        await expire_session(desk.client, seen.session_id)
    raise refusals.checkout_busy()
