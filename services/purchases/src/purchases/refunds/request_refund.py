"""Staff request a refund: it is on the row before the call to Stripe, and counts against what remains at once."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from purchases.ledger import money, problems
from purchases.ledger import store as ledger
from purchases.ledger.apply_refund import credit_of, enqueue_credit
from purchases.ledger.publish import (
    Cause,
    card_refunded_cents,
    charged_cents,
    credit_refunded_cents,
    paid_outside_stripe_cents,
    refunded_cents,
    sale_payment_of,
)
from purchases.ledger.rows import Payment, Purchase, Refund
from purchases.refunds.split_refund import enqueue_refund, of_charge, shares_over_charges


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """A request of staff; `amount_cents` None: all that remains."""

    purchase_id: uuid.UUID
    amount_cents: int | None
    reason: str
    idempotency_key: str
    staff: str

    @property
    def fingerprint(self) -> str:
        """Return the body's digest, whoever repeats it."""
        return hashlib.sha256(json.dumps([self.amount_cents, self.reason]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Requested:
    """The refund as it is now; `repeated`: an earlier request with the same key made it."""

    refund: Refund
    repeated: bool


async def request_refund(*, session: AsyncSession, order: RefundOrder) -> Requested:
    """Store the refund as `requested`. Raises Problem 404, 409 or 422, and nothing has changed."""
    purchase = await ledger.lock_purchase(session, order.purchase_id)
    if purchase is None:
        raise problems.purchase_not_found()
    made = next((refund for refund in purchase.refunds if refund.idempotency_key == order.idempotency_key), None)
    if made is not None:
        if made.request_fingerprint != order.fingerprint:
            raise problems.key_reused()
        return Requested(made, repeated=True)
    amount = _amount(purchase, order.amount_cents)
    cause = Cause(actor=order.staff, at=datetime.now(UTC), reason=order.reason)
    refund = await start_refund(session, purchase=purchase, amount=amount, cause=cause)
    refund.idempotency_key, refund.request_fingerprint = order.idempotency_key, order.fingerprint
    return Requested(refund, repeated=False)


async def start_refund(session: AsyncSession, *, purchase: Purchase, amount: int, cause: Cause) -> Refund:
    """Store a refund of `amount` minor units of the locked purchase's sale, and enqueue it.

    What charges took goes back first, then what the customer's credit paid. Where several of these paid, the one that
    is returned is the first of one for each.
    """
    # What was paid twice goes back by itself.
    sale = next(payment for payment in purchase.payments if not payment.returned)
    by_card = min(amount, _card_left_cents(purchase))
    made = await _request_of_card(session, purchase, sale, by_card, cause) if by_card else []
    if amount > by_card:
        made.append(credit_of(sale, amount - by_card, refund_id=uuid.uuid4(), cause=cause, requested_by=cause.actor))
        purchase.refunds.append(made[-1])
        await enqueue_credit(session, made[-1])
    return made[0]


async def _request_of_card(
    session: AsyncSession, purchase: Purchase, sale: Payment, amount: int, cause: Cause
) -> list[Refund]:
    (number, cents), *more = shares_over_charges(purchase, sale, amount)
    refund = Refund(
        id=uuid.uuid4(),
        purchase_id=purchase.id,
        kind="refund",
        refund_cents=cents,
        currency=purchase.currency,
        status=money.REQUESTED,
        stripe_invoice_id=sale.stripe_invoice_id,
        charge_number=number,
        requested_by=cause.actor,
        reason=cause.reason,
        recorded_at=cause.at,
        updated_at=cause.at,
    )
    refunds = [refund, *(of_charge(refund, number, cents) for number, cents in more)]
    purchase.refunds += refunds
    for refund in refunds:
        await enqueue_refund(session, refund)
    return refunds


def refundable_cents(purchase: Purchase) -> int:
    """Return what of the sale's money could still be sent back: less what went back, and less what is requested."""
    requested = sum(refund.refund_cents for refund in _requested(purchase))
    left = max(0, charged_cents(purchase) - refunded_cents(purchase) - requested)
    return min(left, _card_left_cents(purchase) + _credit_left_cents(purchase))


def refundable_to_credit_cents(purchase: Purchase) -> int:
    """Return what of that would go to the customer's credit balance, which paid it; the last of it."""
    return max(0, refundable_cents(purchase) - _card_left_cents(purchase))


def refund_problem(purchase: Purchase) -> Problem | None:
    """Return what any refund would meet; None where something can be sent back."""
    if refundable_cents(purchase):
        return None
    if charged_cents(purchase):
        return already_refunded()
    return paid_outside_stripe() if paid_outside_stripe_cents(purchase) else nothing_paid()


def _requested(purchase: Purchase) -> list[Refund]:
    """List what is requested of the sale, and Stripe has not answered."""
    sale = sale_payment_of(purchase)
    requested = (refund for refund in purchase.refunds if refund.status == money.REQUESTED)
    return [refund for refund in requested if sale is not None and refund.stripe_invoice_id == sale.stripe_invoice_id]


def _card_left_cents(purchase: Purchase) -> int:
    sale = sale_payment_of(purchase)
    requested = sum(refund.refund_cents for refund in _requested(purchase) if refund.kind != "credit")
    return max(0, (sale.card_cents if sale else 0) - card_refunded_cents(purchase) - requested)


def _credit_left_cents(purchase: Purchase) -> int:
    sale = sale_payment_of(purchase)
    requested = sum(refund.refund_cents for refund in _requested(purchase) if refund.kind == "credit")
    return max(0, (sale.credit_cents if sale else 0) - credit_refunded_cents(purchase) - requested)


def _amount(purchase: Purchase, requested: int | None) -> int:
    """Return the amount to refund, minor units. Raises Problem 409 where that much is not left."""
    problem, left = refund_problem(purchase), refundable_cents(purchase)
    if problem is not None:
        raise problem
    if requested is not None and requested > left:
        raise refund_too_large(left=left, currency=purchase.currency)
    return left if requested is None else requested


def nothing_paid() -> Problem:
    return Problem(409, "nothing-paid", "Nothing was paid for this purchase", "There is nothing to refund.")


def paid_outside_stripe() -> Problem:
    return Problem(
        409,
        "paid-outside-stripe",
        "This purchase was paid outside of Stripe",
        "Stripe never had the money and cannot send it back: return it the way it came.",
    )


def already_refunded() -> Problem:
    return Problem(
        409,
        "already-refunded",
        "Everything was refunded already",
        "What is asked for counts, also while the bank has not answered.",
    )


def refund_too_large(*, left: int, currency: str) -> Problem:
    """Return a 409; `left` in minor units."""
    return Problem(
        409,
        "refund-too-large",
        "That is more than remains of the payment",
        "Nothing was refunded.",
        refundable_cents=left,
        currency=currency,
    )
