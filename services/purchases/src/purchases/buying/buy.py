"""Buy now: the saved card is charged server to server; a crash at any line leaves what a job reconciles by itself."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NoReturn

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.problems import Problem
from purchases.buying import card_testing
from purchases.buying.card_testing import USUAL, Brake
from purchases.buying.charge import CARD_GONE, ChargeContext, charge
from purchases.catalog_copy.availability import price_changed, sellable
from purchases.catalog_copy.rows import Addon
from purchases.checkout import store as checkouts
from purchases.checkout.end_checkout import expire_checkout
from purchases.checkout.rows import CheckoutSession
from purchases.customers.usable_customer import ensure_usable_customer, map_stripe_errors, stripe_unavailable
from purchases.jobs.kinds import ReconcilePurchase
from purchases.jobs.lease import database_now
from purchases.jobs.store import enqueue
from purchases.jobs.stripe_context import StripeContext
from purchases.ledger import problems
from purchases.ledger import store as ledger
from purchases.ledger.problems import refusal_for
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.start import start_purchase
from purchases.ledger.transitions import Status
from purchases.stripe_api.checkout import open_setup
from purchases.stripe_api.customers import PayingCustomer
from purchases.stripe_api.keys import id_of_request
from purchases.workspaces import store as workspaces
from purchases.workspaces.problems import workspace_not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A buyer's request, with the price that the buyer saw; minor units of `expected_currency`."""

    workspace_id: str
    addon_slug: str
    expected_price_cents: int
    expected_currency: str
    return_url: str
    idempotency_key: str
    buyer: str

    def purchase_id(self, instance: str) -> uuid.UUID:
        """Return the purchase's id, which follows from the request: repeated, it is the same sale at Stripe."""
        sold = (self.addon_slug, self.expected_price_cents, self.expected_currency)
        return id_of_request(instance, "purchase", self.workspace_id, self.idempotency_key, *sold)

    @property
    def fingerprint(self) -> str:
        """Return the body's digest, whoever repeats it: the same key with another body is refused."""
        body = [self.addon_slug, self.expected_price_cents, self.expected_currency, self.return_url]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()


class Outcome(StrEnum):
    """How the request ended; the purchase says the rest."""

    PAID = "paid"
    NEEDS_CUSTOMER = "needs_customer"
    AT_THE_BANK = "at_the_bank"
    DECLINED = "declined"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Bought:
    """The purchase as it is now, and the outcome, which decides the answer's status."""

    purchase: Purchase
    outcome: Outcome


async def buy(context: StripeContext, *, lease: timedelta, order: Order, brake: Brake = USUAL) -> Bought:
    """Sell one add-on. Raises a Problem while nothing has been written; afterwards the row is the answer.

    Problem 404, 409, 422 or 429 for what cannot be bought like this now, 502 or 503 as Stripe answers.
    """
    async with context.database.reading() as session:
        repeated = await _repeated(session, order, context.instance)
        if repeated is not None:
            return Bought(repeated, Outcome.REPEATED)
        await problems.refuse_while_recovering(session)
        addon = await _sellable(session, order)
        in_the_way = await _checkout_that_sells(session, order, addon)
        await _refuse_if_taken(session, order, addon, brake, excluding=in_the_way)
    customer = await _customer_with_card(context, order)
    if in_the_way is not None:
        cause = Cause(actor=order.buyer, at=datetime.now(UTC), reason="bought with the saved card instead")
        await expire_checkout(database=context.database, client=context.client, checkout=in_the_way, cause=cause)
    try:
        async with context.database.transaction() as session:
            purchase_id = await _start(session, order, customer, context.instance, lease, brake)
    except IntegrityError:
        return await _lost_the_race(context, order, brake)
    if purchase_id is None:
        return await _lost_the_race(context, order, brake)
    charging = ChargeContext(
        database=context.database,
        client=context.client,
        instance=context.instance,
        purchase_id=purchase_id,
        lease=lease,
    )
    await charge(charging, customer, workspace_id=order.workspace_id)
    bought = await _bought(context.database, purchase_id)
    if bought.outcome is Outcome.REFUSED and bought.purchase.failure_code == CARD_GONE:
        async with map_stripe_errors(context.database, workspace_id=order.workspace_id):
            await _refuse_without_card(context, order, customer)
    return bought


async def _bought(database: Database, purchase_id: uuid.UUID) -> Bought:
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id)
    if purchase is None:
        raise problems.purchase_not_found()
    return Bought(purchase, outcome_of(purchase))


def outcome_of(purchase: Purchase) -> Outcome:
    """Return what the row says to the buyer whose request has just ended."""
    if purchase.status is Status.PENDING:
        return _awaited(purchase)
    if purchase.status is Status.FAILED:
        return Outcome.DECLINED if purchase.declined_at else Outcome.REFUSED
    return Outcome.PAID


def _awaited(purchase: Purchase) -> Outcome:
    if purchase.waiting_for is not None:
        return Outcome.AT_THE_BANK
    return Outcome.NEEDS_CUSTOMER if purchase.action_url else Outcome.UNKNOWN


async def _repeated(session: AsyncSession, order: Order, instance: str) -> Purchase | None:
    """Return what an earlier request with this key bought, also as it was read back, from facts that know no key."""
    purchase = await ledger.find_request(
        session, workspace_id=order.workspace_id, idempotency_key=order.idempotency_key
    )
    if purchase is None:
        return await ledger.find(session, order.purchase_id(instance), workspace_id=order.workspace_id)
    if purchase.request_fingerprint != order.fingerprint:
        raise problems.key_reused()
    return purchase


async def _sellable(session: AsyncSession, order: Order) -> Addon:
    addon = await sellable(session, order.addon_slug)
    if (addon.price_cents, addon.currency) != (order.expected_price_cents, order.expected_currency):
        raise price_changed(addon)
    return addon


async def _refuse_if_taken(
    session: AsyncSession, order: Order, addon: Addon, brake: Brake, *, excluding: CheckoutSession | None = None
) -> None:
    """Raise Problem 409 for a slot that is held, 429 for declines; `excluding`: what that Checkout sells is free."""
    holder = await ledger.slot_holder(session, workspace_id=order.workspace_id, addon_id=addon.id)
    if holder is not None and (excluding is None or str(holder.id) not in excluding.purchase_ids):
        raise refusal_for(holder)
    now = datetime.now(UTC)
    refused = await card_testing.refusal(session, workspace_id=order.workspace_id, now=now, brake=brake)
    if refused is not None:
        raise refused


async def _checkout_that_sells(session: AsyncSession, order: Order, addon: Addon) -> CheckoutSession | None:
    """Return the live Checkout with this add-on in it; one without it is left alone."""
    holder = await ledger.slot_holder(session, workspace_id=order.workspace_id, addon_id=addon.id)
    return await checkouts.live_of_purchase(session, holder) if holder is not None else None


async def _customer_with_card(context: StripeContext, order: Order) -> PayingCustomer:
    """Fetch customer and card before anything is written. Raises Problem 409 without a card, 502 or 503."""
    async with map_stripe_errors(context.database, workspace_id=order.workspace_id):
        customer = await ensure_usable_customer(context, workspace_id=order.workspace_id)
        if customer.payment_method_id is None:
            await _refuse_without_card(context, order, customer)
    return customer


async def _refuse_without_card(context: StripeContext, order: Order, customer: PayingCustomer) -> NoReturn:
    """Raise Problem 409 with the page where a card is saved; nothing was charged."""
    page = await open_setup(
        context.client,
        instance=context.instance,
        workspace_id=order.workspace_id,
        customer_id=customer.customer_id,
        return_url=order.return_url,
    )
    raise payment_method_missing(setup_session_id=page.id, setup_url=page.url)


async def _start(
    session: AsyncSession, order: Order, customer: PayingCustomer, instance: str, lease: timedelta, brake: Brake
) -> uuid.UUID | None:
    """Commit to the purchase before anything is created at Stripe; return None when a repeat was first."""
    workspace = await workspaces.lock_workspace(session, order.workspace_id)
    if workspace is None:
        raise workspace_not_found()
    if await _repeated(session, order, instance) is not None:
        return None
    await problems.refuse_while_recovering(session)
    addon = await _sellable(session, order)
    await _refuse_if_taken(session, order, addon, brake)
    now = await database_now(session)
    purchase = start_purchase(
        session,
        workspace=workspace,
        sold=addon.sold,
        cause=Cause(actor=order.buyer, at=now),
        purchase_id=order.purchase_id(instance),
        idempotency_key=order.idempotency_key,
        request_fingerprint=order.fingerprint,
        stripe_customer_id=customer.customer_id,
        stripe_price_id=addon.stripe_price_id,
        return_url=order.return_url,
        leased_until=now + lease,
    )
    await enqueue(session, ReconcilePurchase(purchase_id=purchase.id), after=lease)
    return purchase.id


async def _lost_the_race(context: StripeContext, order: Order, brake: Brake) -> Bought:
    """Answer as if another request with this key, or for this slot, which was first, had been seen at once."""
    async with context.database.reading() as session:
        repeated = await _repeated(session, order, context.instance)
        if repeated is not None:
            return Bought(repeated, Outcome.REPEATED)
        await _refuse_if_taken(session, order, await _sellable(session, order), brake)
    raise stripe_unavailable()


def payment_method_missing(*, setup_session_id: str, setup_url: str) -> Problem:
    """Return a 409 with the page where a card is saved."""
    return Problem(
        409,
        "payment-method-missing",
        "There is no saved payment method",
        "Nothing was charged. Save a card first.",
        setup_session_id=setup_session_id,
        setup_url=setup_url,
    )
