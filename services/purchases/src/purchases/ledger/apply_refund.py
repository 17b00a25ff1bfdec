"""Money that went back, or did not: one row per Stripe refund, and the status when all of it is gone."""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.process.logs import get_logger
from contracts import purchase_facts
from purchases.jobs.kinds import ReturnCredit
from purchases.jobs.store import enqueue
from purchases.ledger import store as ledger
from purchases.ledger.learn_ids import charge_named, may_be_of
from purchases.ledger.money import COUNTS, REQUESTED, newer_refund_status
from purchases.ledger.move import move
from purchases.ledger.publish import Cause, announce, charged_cents, over_returned_cents, refunded_cents
from purchases.ledger.rows import Charge, Payment, Purchase, Refund
from purchases.ledger.transitions import Status, Trigger, restoring

log = get_logger(__name__)

OF_THE_CHARGE: Final = frozenset({"refund", "return"})
"""Kinds of what goes back through the charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeRefund:
    """A refund as Stripe reported it; minor units."""

    refund_id: str
    refund_cents: int
    currency: str
    status: str
    kind: str = "refund"
    """`dispute` for one that was lost, `credit` for what was given back to the customer's credit balance."""
    purchase_id: str | None = None
    """The purchase that its metadata names."""
    requested_id: str | None = None
    """Our own id of it, where staff asked for it here."""
    of_the_plan: bool = False
    """We gave back what an extra subscription took, and no add-on that was bought with it."""
    failure_reason: str | None = None
    payment_intent_id: str | None = None
    charge_id: str | None = None
    """The charge that it is of, where Stripe named it."""

    @property
    def is_a_sum(self) -> bool:
        """Return whether it stands for a cumulative figure, and not for one refund of Stripe's."""
        return ":" in self.refund_id

    @property
    def is_of_the_charge(self) -> bool:
        """Return whether it is money of the charge itself; a lost dispute, which may differ from it, stands beside."""
        return self.kind in OF_THE_CHARGE


def payment_behind(
    purchase: Purchase, *, payment_intent_id: str | None, charge_id: str | None, invoice_id: str | None = None
) -> Payment | None:
    """Return the payment of `purchase` that these ids name; its only one where none of its own speaks against it."""
    ids = {"payment_intent_id": payment_intent_id, "charge_id": charge_id}
    for payment in purchase.payments:
        if charge_named(payment, **ids) or invoice_id in (payment.stripe_invoice_id,):
            return payment
    only = purchase.payments[0] if len(purchase.payments) == 1 else None
    return only if only is not None and may_be_of(only, **ids) else None


async def apply_refund(
    session: AsyncSession, *, purchase: Purchase, payment: Payment, seen: StripeRefund, cause: Cause
) -> None:
    """Record one refund of a `payment` of the locked `purchase`. Repeated, or late, it changes nothing.

    Of one that staff asked for, Stripe's first word is published as the doing of whoever asked.
    """
    row = next((refund for refund in purchase.refunds if refund.stripe_refund_id == seen.refund_id), None)
    before = row.status if row else None
    status = newer_refund_status(known=before, reported=seen.status)
    if status == before:
        return
    charge = charge_of(payment, seen)
    live, over = live_cents(purchase, charge), over_returned_cents(purchase)
    if row is None:
        row, before = _first_row(purchase, payment, seen, cause)
        cause = cause.by(row.requested_by, row.reason) if row.requested_by else cause
    row.status, row.updated_at, row.failure_reason = status, cause.at, seen.failure_reason or row.failure_reason
    if charge is not None:
        charge.refunded_cents += live_cents(purchase, charge) - live
    # The status first: what is published of the refund carries the status that it led to.
    await follow_the_money(session, purchase=purchase, cause=cause)
    _publish(session, purchase, row, before, cause)
    if over_returned_cents(purchase) > over:
        _publish_over_returned(session, purchase, seen, cause)


def _publish_over_returned(session: AsyncSession, purchase: Purchase, seen: StripeRefund, cause: Cause) -> None:
    """Publish that more went back than came: a bank took money that was refunded, or the reverse."""
    about = "stripe_dispute_id" if seen.kind == "dispute" else "stripe_refund_id"
    over = {"over_returned_cents": over_returned_cents(purchase), "charged_cents": charged_cents(purchase)}
    log.error("over_returned", purchase=str(purchase.id), stripe_id=seen.refund_id, **over)
    announce(session, purchase, purchase_facts.MoneyOverReturned, cause=cause, **{about: seen.refund_id}, **over)


def refuse_refund(
    session: AsyncSession, *, purchase: Purchase, refund: Refund, failure_reason: str, cause: Cause
) -> None:
    """Record that Stripe will not make what staff asked for: it has failed, and counts no more against what remains."""
    refund.status, refund.updated_at, refund.failure_reason = "failed", cause.at, failure_reason
    _publish(session, purchase, refund, None, cause)


async def follow_the_money(session: AsyncSession, *, purchase: Purchase, cause: Cause) -> None:
    """Move to `refunded` when all that was charged went back, and back when it did not and the slot is free."""
    charged = charged_cents(purchase)
    whole = charged > 0 and refunded_cents(purchase) >= charged
    if whole and purchase.status in {Status.PAID, Status.DELIVERED}:
        move(session, purchase, Trigger.REFUNDED_IN_FULL, cause=cause, refunded_at=cause.at)
    elif not whole and purchase.status is Status.REFUNDED and not await ledger.slot_is_taken(session, purchase):
        move(session, purchase, restoring(refunded_from=purchase.refunded_from or Status.PAID), cause=cause)


async def book_charge_sum(
    session: AsyncSession, *, purchase: Purchase, payment: Payment, cents: int, cause: Cause
) -> None:
    """Record what Stripe says the charge of `payment` gave back in all, in minor units, and let the status follow.

    `cents` is the cumulative figure of `charge.refunded`; 0 once its refunds are recorded one by one.
    """
    payment.charge_refunded_cents = cents
    await follow_the_money(session, purchase=purchase, cause=cause)


def book_over_bundle(paid: Iterable[tuple[Purchase, Payment]]) -> None:
    """Record on each charge of these payments what of it went back to any purchase that it paid."""
    charges = [(purchase, charge) for purchase, payment in paid for charge in payment.charges]
    gone = Counter[str]()
    for purchase, charge in charges:
        gone[_name(charge)] += live_cents(purchase, charge)
    for _, charge in charges:
        charge.refunded_cents = gone[_name(charge)]


def _name(charge: Charge) -> str:
    """Return the charge's own, whichever purchase of a bundle knows it by which number."""
    return f"{charge.stripe_invoice_id} {charge.stripe_payment_intent_id or charge.stripe_charge_id}"


def limit_to_charge(refund: Refund, *, number: int | None, cents: int) -> None:
    """Let the requested `refund` be `cents` of one charge; the caller requests the rest of it from the others."""
    refund.charge_number, refund.refund_cents = number, cents


def _publish(session: AsyncSession, purchase: Purchase, row: Refund, before: str | None, cause: Cause) -> None:
    """Publish RefundIssued when it first counts, RefundFailed when it turns out not to; each once per refund.

    A dispute has facts of its own, and its owner is not mailed about it.
    """
    if row.kind == "dispute":
        return
    refund = {
        "refund_id": row.id,
        "stripe_refund_id": row.stripe_refund_id,
        "refund_cents": row.refund_cents,
        "returned_to": "credit_balance" if row.kind == "credit" else "payment",
    }
    if row.status not in COUNTS:
        failed = {"failure_reason": row.failure_reason, "was_issued": before in COUNTS}
        announce(session, purchase, purchase_facts.RefundFailed, cause=cause, **refund, **failed)
    elif before is None:
        announce(session, purchase, purchase_facts.RefundIssued, cause=cause, **refund)


def _first_row(purchase: Purchase, payment: Payment, seen: StripeRefund, cause: Cause) -> tuple[Refund, str | None]:
    """Return the row of a refund that Stripe names for the first time, and its status as it was published before."""
    requested = _requested_row(purchase, seen)
    if requested is not None:
        requested.stripe_refund_id = seen.refund_id
        charge = charge_of(payment, seen)
        requested.charge_number = charge.number if charge else requested.charge_number
        return requested, None
    stand_in = _stand_in(purchase, payment, seen)
    if stand_in is not None and stand_in.refund_cents == seen.refund_cents:
        stand_in.stripe_refund_id = seen.refund_id
        return stand_in, stand_in.status
    row = _new_row(payment, seen, cause, charge_of(payment, seen))
    purchase.refunds.append(row)
    if stand_in is not None:
        stand_in.refund_cents -= seen.refund_cents
    return row, stand_in.status if stand_in else None


def _requested_row(purchase: Purchase, seen: StripeRefund) -> Refund | None:
    """Return the refund that staff asked for here and that Stripe names now, whether by its answer or by an event."""
    waiting = (
        refund for refund in purchase.refunds if refund.status == REQUESTED and str(refund.id) == seen.requested_id
    )
    fitting = (refund for refund in waiting if (refund.kind == "credit") == (seen.kind == "credit"))
    return next((refund for refund in fitting if refund.refund_cents == seen.refund_cents), None)


def _stand_in(purchase: Purchase, payment: Payment, seen: StripeRefund) -> Refund | None:
    """Return what a sum of the charge was recorded as, before Stripe named the refunds that it is made of."""
    known = [refund for refund in purchase.refunds if _is_stand_in(refund) and seen.kind == "refund"]
    mine = [one for one in known if one.stripe_invoice_id == payment.stripe_invoice_id]
    return next((refund for refund in mine if refund.refund_cents >= seen.refund_cents), None)


def _is_stand_in(refund: Refund) -> bool:
    """Return whether a sum is behind it, `ch_…:20000`, and no refund of Stripe's."""
    return ":" in (refund.stripe_refund_id or "")


def charge_of(payment: Payment, seen: StripeRefund) -> Charge | None:
    """Return the charge that the refund is of; None for a dispute, and where only the payment is known."""
    if not seen.is_of_the_charge:
        return None
    named = charge_named(payment, payment_intent_id=seen.payment_intent_id, charge_id=seen.charge_id)
    return named or (payment.charges[0] if len(payment.charges) == 1 else None)


def live_cents(purchase: Purchase, charge: Charge | None, *, excluding: StripeRefund | None = None) -> int:
    """Return the minor units of the purchase's refunds of this charge that count.

    `besides` leaves one refund out, and the sum that stood for it before Stripe named it.
    """
    if charge is None:
        return 0
    own = (
        refund
        for refund in purchase.refunds
        if refund.stripe_invoice_id == charge.stripe_invoice_id and refund.status in COUNTS
    )
    mine = (refund for refund in own if refund.kind in OF_THE_CHARGE and (refund.charge_number or 1) == charge.number)
    return sum(refund.refund_cents for refund in mine if excluding is None or not _stands_for(refund, excluding))


def _stands_for(row: Refund, seen: StripeRefund) -> bool:
    return row.stripe_refund_id == seen.refund_id or (_is_stand_in(row) and row.refund_cents >= seen.refund_cents)


def _new_row(payment: Payment, seen: StripeRefund, cause: Cause, charge: Charge | None) -> Refund:
    return Refund(
        id=uuid.uuid5(payment.purchase_id, seen.refund_id),
        stripe_refund_id=seen.refund_id,
        purchase_id=payment.purchase_id,
        kind="return" if payment.returned and seen.kind == "refund" else seen.kind,
        refund_cents=seen.refund_cents,
        currency=seen.currency.upper(),
        status=seen.status,
        stripe_invoice_id=payment.stripe_invoice_id,
        charge_number=charge.number if charge else None,
        failure_reason=seen.failure_reason,
        recorded_at=cause.at,
        updated_at=cause.at,
    )


async def request_credit(session: AsyncSession, *, purchase: Purchase, payment: Payment, cause: Cause) -> None:
    """Have all that credit paid of a late payment given back; asked twice it is one."""
    refund_id = uuid.uuid5(purchase.id, f"credit {payment.stripe_invoice_id}")
    if any(refund.id == refund_id for refund in purchase.refunds):
        return
    refund = credit_of(payment, payment.credit_cents, refund_id=refund_id, cause=cause)
    purchase.refunds.append(refund)
    await enqueue_credit(session, refund)


def credit_of(
    payment: Payment, cents: int, *, refund_id: uuid.UUID, cause: Cause, requested_by: str | None = None
) -> Refund:
    """Return the row of `cents` of credit, requested; `requested_by` where a person did."""
    return Refund(
        id=refund_id,
        purchase_id=payment.purchase_id,
        kind="credit",
        refund_cents=cents,
        currency=payment.currency,
        status=REQUESTED,
        stripe_invoice_id=payment.stripe_invoice_id,
        requested_by=requested_by,
        reason=cause.reason,
        recorded_at=cause.at,
        updated_at=cause.at,
    )


async def enqueue_credit(session: AsyncSession, refund: Refund) -> None:
    """Have the requested credit given after this commit."""
    await enqueue(
        session,
        ReturnCredit(refund_id=refund.id, purchase_id=refund.purchase_id, invoice_id=str(refund.stripe_invoice_id)),
    )
