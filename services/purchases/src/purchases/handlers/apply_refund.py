"""Money that went back, or did not: one row per Stripe refund, and the status when all of it is gone."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import purchase_facts
from purchases.domain.money import COUNTS, newer_refund_status
from purchases.domain.transitions import Status, Trigger, restoring
from purchases.handlers.move_purchase import move
from purchases.publisher import Cause, announce, refunded_cents
from purchases.store import ledger
from purchases.store.rows import Payment, Purchase, Refund


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRefund:
    """A refund as Stripe told it; minor units."""

    refund_id: str
    refund_cents: int
    currency: str
    status: str
    failure_reason: str | None = None
    payment_intent_id: str | None = None
    charge_id: str | None = None


def has_payment(purchase: Purchase) -> bool:
    """Whether its money was seen; a refund that comes before waits for it."""
    return bool(purchase.payments)


async def apply_refund(session: AsyncSession, *, purchase: Purchase, told: ToldRefund, cause: Cause) -> None:
    """Record one refund of the locked `purchase`. Told again, or late, it changes nothing."""
    row = next((one for one in purchase.refunds if one.stripe_refund_id == told.refund_id), None)
    before = row.status if row else None
    status = newer_refund_status(known=before, told=told.status)
    if status == before:
        return
    if row is None:
        row = _new_row(purchase, told, cause)
        purchase.refunds.append(row)
    row.status, row.updated_at, row.failure_reason = status, cause.at, told.failure_reason or row.failure_reason
    _tell(session, purchase, row, before, cause)
    await follow_the_money(session, purchase=purchase, cause=cause)


async def apply_cumulative(session: AsyncSession, *, purchase: Purchase, amount_refunded: int, cause: Cause) -> None:
    """`charge.refunded`'s figure for a charge that paid this purchase alone; its refunds' ids follow by a look."""
    purchase.charge_refunded_cents = max(purchase.charge_refunded_cents, amount_refunded)
    await follow_the_money(session, purchase=purchase, cause=cause)


async def follow_the_money(session: AsyncSession, *, purchase: Purchase, cause: Cause) -> None:
    """Refunded when the refunds reach what was paid; put back when they no longer do and the slot is free."""
    whole = purchase.paid_cents is not None and refunded_cents(purchase) >= purchase.paid_cents
    if whole and purchase.status in {Status.PAID, Status.DELIVERED}:
        move(session, purchase, Trigger.REFUNDED_IN_FULL, cause=cause, refunded_at=cause.at)
    elif not whole and purchase.status is Status.REFUNDED and await _slot_free(session, purchase):
        move(session, purchase, restoring(refunded_from=purchase.refunded_from or Status.PAID), cause=cause)


async def _slot_free(session: AsyncSession, purchase: Purchase) -> bool:
    holder = await ledger.slot_holder(
        session, workspace_id=purchase.workspace_id, addon_id=purchase.plan_addon_id, other_than=purchase.id
    )
    return holder is None


def _tell(session: AsyncSession, purchase: Purchase, row: Refund, before: str | None, cause: Cause) -> None:
    """RefundIssued when it first counts, RefundFailed when it turns out not to; each once per refund."""
    if before is None and row.status in COUNTS:
        announce(
            session,
            purchase,
            purchase_facts.RefundIssued,
            cause=cause,
            stripe_refund_id=row.stripe_refund_id,
            refund_cents=row.refund_cents,
        )
    elif row.status not in COUNTS:
        announce(
            session,
            purchase,
            purchase_facts.RefundFailed,
            cause=cause,
            stripe_refund_id=row.stripe_refund_id,
            refund_cents=row.refund_cents,
            failure_reason=row.failure_reason,
        )


def _new_row(purchase: Purchase, told: ToldRefund, cause: Cause) -> Refund:
    payment = _payment_behind(purchase, told)
    return Refund(
        stripe_refund_id=told.refund_id,
        purchase_id=purchase.id,
        kind="return" if payment is not None and payment.returned else "refund",
        refund_cents=told.refund_cents,
        currency=told.currency.upper(),
        status=told.status,
        stripe_invoice_id=payment.stripe_invoice_id if payment else None,
        failure_reason=told.failure_reason,
        recorded_at=cause.at,
        updated_at=cause.at,
    )


def _payment_behind(purchase: Purchase, told: ToldRefund) -> Payment | None:
    ids = {told.payment_intent_id, told.charge_id} - {None}
    named = (one for one in purchase.payments if {one.stripe_payment_intent_id, one.stripe_charge_id} & ids)
    only = purchase.payments[0] if len(purchase.payments) == 1 else None
    return next(named, only)
