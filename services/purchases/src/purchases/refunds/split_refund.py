"""A refund that staff request of a payment that several charges made: each charge gives back its own."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.jobs.kinds import MakeRefund
from purchases.jobs.store import enqueue
from purchases.ledger.apply_refund import limit_to_charge, live_cents
from purchases.ledger.learn_ids import refundable_charges
from purchases.ledger.money import REQUESTED
from purchases.ledger.rows import Charge, Payment, Purchase, Refund
from purchases.refunds.rules import spread


async def split_over_charges(session: AsyncSession, *, purchase: Purchase, refund: Refund) -> None:
    """Let the requested `refund` be of one charge, with one of its own for each other charge; the sum stays."""
    payment = next(one for one in purchase.payments if one.stripe_invoice_id == refund.stripe_invoice_id)
    (number, cents), *others = shares_over_charges(purchase, payment, refund.refund_cents, excluding=refund)
    limit_to_charge(refund, number=number, cents=cents)
    for number, cents in others:
        other = of_charge(refund, number, cents)
        purchase.refunds.append(other)
        await enqueue_refund(session, other)


def shares_over_charges(
    purchase: Purchase, payment: Payment, cents: int, *, excluding: Refund | None = None
) -> list[tuple[int | None, int]]:
    """Return what of `cents` goes back through which charge of the payment; None: the only one, or nobody knows."""
    charges = refundable_charges(payment)
    if len(charges) < 2:
        return [(None, cents)]
    return [*spread(cents, [(one.number, _room(purchase, one, excluding)) for one in charges])]


async def enqueue_refund(session: AsyncSession, refund: Refund) -> None:
    """Enqueue the requested refund, to be made after this commit."""
    await enqueue(
        session,
        MakeRefund(refund_id=refund.id, purchase_id=refund.purchase_id, invoice_id=str(refund.stripe_invoice_id)),
    )


def _room(purchase: Purchase, charge: Charge, excluding: Refund | None) -> int | None:
    """Return what is left of the charge, minor units; None where nobody knows."""
    if charge.amount_cents is None:
        return None
    requested = (one for one in purchase.refunds if one.status == REQUESTED and one is not excluding)
    mine = (one for one in requested if one.stripe_invoice_id == charge.stripe_invoice_id)
    waiting = sum(one.refund_cents for one in mine if one.charge_number == charge.number)
    return max(0, charge.amount_cents - max(charge.refunded_cents, live_cents(purchase, charge)) - waiting)


def of_charge(refund: Refund, number: int | None, cents: int) -> Refund:
    """Return the requested `refund` for another charge of the same payment."""
    return Refund(
        id=uuid.uuid5(refund.id, f"charge {number}"),
        purchase_id=refund.purchase_id,
        kind=refund.kind,
        refund_cents=cents,
        currency=refund.currency,
        status=refund.status,
        stripe_invoice_id=refund.stripe_invoice_id,
        charge_number=number,
        requested_by=refund.requested_by,
        reason=refund.reason,
        recorded_at=refund.recorded_at,
        updated_at=refund.updated_at,
    )
