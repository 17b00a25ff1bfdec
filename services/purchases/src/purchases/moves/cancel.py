"""A purchase is cancelled before delivery: by its buyer, who is refunded nothing by that, or by staff."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession
from stripe import StripeClient

from chassis.database.database import Database
from chassis.problems import Problem
from purchases.checkout import store as checkouts
from purchases.checkout.end_checkout import expire_checkout
from purchases.checkout.rows import CheckoutSession
from purchases.jobs.kinds import VoidInvoice
from purchases.jobs.lease import database_now, is_leased
from purchases.jobs.store import enqueue
from purchases.ledger import problems
from purchases.ledger import store as ledger
from purchases.ledger.move import move
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Refused, Status, Trigger, decide
from purchases.moves.move_by_hand import illegal_move
from purchases.refunds.request_refund import refundable_cents, start_refund
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused
from purchases.stripe_api.fetch import fetch_invoice
from purchases.stripe_api.values import InvoiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Who cancels what, and why; `workspace_id` where only a purchase of that workspace may be meant."""

    purchase_id: uuid.UUID
    actor: str
    reason: str | None
    workspace_id: str | None = None
    refund: bool = False
    """Start the refund of what remains, in the same transaction."""
    expected: Status | None = None
    """What it was when somebody decided this: what that means for the money is another thing in another status."""


async def cancel(*, database: Database, client: StripeClient, cancellation: Cancellation) -> Purchase:
    """Cancel it; what is still payable at Stripe is closed after the commit, and holds the slot until then.

    One that is sold in an open Checkout is cancelled by ending that, with all that it sells, once Stripe has answered.
    Raises Problem 404, or 409 with the reason: illegal, not as expected, a payment is in progress, the
    Checkout was paid.
    """
    found, checkout = await _found(database, cancellation)
    if checkout is not None:
        await expire_checkout(database=database, client=client, checkout=checkout, cause=_cause(cancellation))
    elif found is not None:
        await _refuse_money_on_its_way(client, found)
    async with database.transaction() as session:
        purchase = await ledger.lock_purchase(session, cancellation.purchase_id)
        if purchase is None or cancellation.workspace_id not in (None, purchase.workspace_id):
            raise problems.purchase_not_found()
        if checkout is not None and purchase.status is Status.CANCELLED:
            return purchase
        _refuse_unless_possible(purchase, cancellation.expected, now=await database_now(session))
        await _cancel(session, purchase, cancellation)
        return purchase


async def _found(database: Database, cancellation: Cancellation) -> tuple[Purchase | None, CheckoutSession | None]:
    """Return the purchase, and the open Checkout that sells it."""
    async with database.reading() as session:
        purchase = await ledger.find(session, cancellation.purchase_id, workspace_id=cancellation.workspace_id)
        return purchase, await checkouts.live_of_purchase(session, purchase) if purchase is not None else None


async def _refuse_money_on_its_way(client: StripeClient, purchase: Purchase) -> None:
    """Raise Problem 409 for a debit at the bank, and for an invoice paid in part, which Stripe does not void.

    The invoice is fetched, as the row may be old by now; while Stripe does not answer, the row counts. Money that
    arrives all the same, for a purchase that was cancelled meanwhile, goes back.
    """
    if purchase.status is not Status.PENDING or purchase.stripe_invoice_id is None:
        return
    state: InvoiceState | None
    try:
        state = (await fetch_invoice(client, purchase.stripe_invoice_id)).state
    except (OutcomeUnknown, StripeRefused):
        state = InvoiceState.OPEN_PROCESSING if purchase.waiting_for is not None else None
    if state is InvoiceState.OPEN_PROCESSING:
        raise problems.bank_at_work()
    if state is InvoiceState.PAID_IN_PART:
        raise paid_in_part()


def _cause(cancellation: Cancellation) -> Cause:
    return Cause(actor=cancellation.actor, at=datetime.now(UTC), reason=cancellation.reason)


def _refuse_unless_possible(purchase: Purchase, expected: Status | None, *, now: datetime) -> None:
    step = decide(status=purchase.status, trigger=Trigger.CANCELLED)
    if isinstance(step, Refused):
        raise illegal_move(step)
    if expected not in (None, purchase.status):
        raise problems.status_changed(purchase.status)
    if is_leased(purchase.leased_until, now=now):
        raise problems.payment_in_progress()
    if purchase.waiting_for is not None and purchase.stripe_invoice_id is None:
        raise problems.bank_at_work()


async def _cancel(session: AsyncSession, purchase: Purchase, cancellation: Cancellation) -> None:
    cause = _cause(cancellation)
    back = refundable_cents(purchase) if cancellation.refund and purchase.status is Status.PAID else 0
    move(session, purchase, Trigger.CANCELLED, cause=cause, refund_requested_cents=back)
    if back:
        await start_refund(session, purchase=purchase, amount=back, cause=cause)
    if purchase.payable:
        await enqueue(session, VoidInvoice(purchase_id=purchase.id))


def paid_in_part() -> Problem:
    """Return a 409: Stripe voids no invoice that is paid in part. The rest comes, or staff refund the parts first."""
    return Problem(
        409,
        "payment-in-progress",
        "A part of it is paid already",
        "Nothing was changed. The rest can still be paid; what was paid goes back only by staff's hand.",
        retry_after=3600,
    )
