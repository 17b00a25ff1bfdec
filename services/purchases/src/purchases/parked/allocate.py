"""Staff say which purchase a parked refund is of: a refund, or lost dispute, in part of a charge that paid several."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka.records import Received, StoredRecord, decode
from chassis.outbox import parked
from chassis.outbox.kept_records import headers_of
from chassis.problems import Problem
from chassis.process.logs import get_logger
from contracts.stripe_facts import DisputeChanged, RefundChanged
from purchases.batch.parking import allocation_mark
from purchases.disputes.events import as_refund
from purchases.jobs.kinds import SyncRefunds
from purchases.jobs.store import enqueue
from purchases.ledger import problems
from purchases.ledger import store as ledger
from purchases.ledger.apply_refund import StripeRefund, apply_refund
from purchases.ledger.learn_ids import charge_named
from purchases.ledger.money import COUNTS
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Payment, Purchase
from purchases.parked import store as parked_items
from purchases.parked.review_parked import not_parked_any_more, open_item
from purchases.parked.rows import ParkedDecision
from purchases.parked.store import ParkedItem
from purchases.refunds.allocate_refund import Paid, exceeds
from purchases.refunds.events import stripe_refund
from purchases.refunds.request_refund import refund_too_large

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Allocation:
    """Money back that waits for staff's word, and the payment of the purchase that it would be taken from."""

    item: ParkedItem
    fact: RefundChanged | DisputeChanged
    refund: StripeRefund
    purchase: Purchase
    payment: Payment


async def preview_allocation(*, session: AsyncSession, item_id: str, purchase_id: uuid.UUID) -> None:
    """Raise what `allocate` would raise, as things stand."""
    await _allocation(session, item_id, await ledger.find(session, purchase_id))


async def allocate(*, session: AsyncSession, item_id: str, purchase_id: uuid.UUID, actor: str) -> ParkedItem:
    """Record the parked refund on the purchase. Raises Problem 404, 409 or 422, and nothing has changed."""
    await _hold(session, item_id)
    found = await _allocation(session, item_id, await ledger.lock_purchase(session, purchase_id))
    fact, seen = found.fact, found.refund
    ended = await parked.discard(
        session, ids=[allocation_mark(seen.refund_id)], resolution=f"allocated to {purchase_id}"
    )
    if not ended:
        raise not_parked_any_more()
    cause = Cause(actor=actor, at=datetime.now(UTC), stripe_event_id=fact.stripe_event_id, reason="allocated by hand")
    await apply_refund(session, purchase=found.purchase, payment=found.payment, seen=seen, cause=cause)
    await _look(session, found.purchase, fact)
    session.add(ParkedDecision(item=item_id, decision="allocate", actor=actor, reason=f"to {purchase_id}"))
    await session.flush()
    log.info("allocated", item=item_id, refund=seen.refund_id, purchase=str(purchase_id), actor=actor)
    return await parked_items.find(session, item_id) or found.item


async def _hold(session: AsyncSession, item_id: str) -> None:
    """Lock the parked fact before the purchase, in the order of the worker that tries it again."""
    item = await open_item(session, item_id)
    if item.waits_for is not None:
        await parked.hold(session, ids=[item.waits_for])


async def _allocation(session: AsyncSession, item_id: str, purchase: Purchase | None) -> _Allocation:
    """Return what would be allocated. Raises Problem 404, 409 or 422."""
    item = await open_item(session, item_id)
    fact = _money_back(item)
    if purchase is None:
        raise problems.purchase_not_found()
    payment, seen = _payment_with(purchase, fact), _as_refund(fact)
    left = payment.card_cents - _gone(purchase, payment)
    if seen.refund_cents > left or exceeds([Paid(purchase, payment)], seen):
        raise refund_too_large(left=left, currency=payment.currency)
    return _Allocation(item, fact, seen, purchase, payment)


def _money_back(item: ParkedItem) -> RefundChanged | DisputeChanged:
    """Return the fact, if it waits to be allocated and for nothing else. Raises Problem 409."""
    record = StoredRecord("", 0, 0, None, item.value, headers_of(item.headers or []))
    received = decode(record) if item.value else None
    fact = received.fact if isinstance(received, Received) else None
    if not isinstance(fact, RefundChanged | DisputeChanged) or item.waits_for != allocation_mark(
        _as_refund(fact).refund_id
    ):
        raise not_allocatable()
    return fact


def _as_refund(fact: RefundChanged | DisputeChanged) -> StripeRefund:
    return stripe_refund(fact.refund, of=fact) if isinstance(fact, RefundChanged) else as_refund(fact, "succeeded")


def _payment_with(purchase: Purchase, fact: RefundChanged | DisputeChanged) -> Payment:
    """Return the payment that the fact's charge made. Raises Problem 409 for a purchase that another charge paid."""
    ids = {"payment_intent_id": fact.payment_intent_id, "charge_id": fact.charge_id}
    for payment in purchase.payments:
        if charge_named(payment, **ids) is not None:
            return payment
    raise paid_otherwise()


def _gone(purchase: Purchase, payment: Payment) -> int:
    mine = (refund for refund in purchase.refunds if refund.stripe_invoice_id == payment.stripe_invoice_id)
    return sum(refund.refund_cents for refund in mine if refund.status in COUNTS and refund.kind != "credit")


async def _look(session: AsyncSession, purchase: Purchase, fact: RefundChanged | DisputeChanged) -> None:
    """Have the charge's refunds fetched: what was parked may be old."""
    subject = fact.charge_id or fact.payment_intent_id
    if isinstance(fact, RefundChanged) and subject:
        currency = fact.refund.currency
        await enqueue(session, SyncRefunds(payment=subject, purchase_id=purchase.id, currency=currency))


def not_allocatable() -> Problem:
    return Problem(
        409,
        "not-allocatable",
        "This waits for nobody's word on whose it is",
        "Only a refund or a lost dispute, in part of a charge that paid several things, is allocated.",
    )


def paid_otherwise() -> Problem:
    return Problem(409, "paid-otherwise", "Another charge paid for this purchase", "The refund is not of its money.")
