"""What a customer's credit balance paid is requested back: a row first, and a command for after the commit."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.domain.money import REQUESTED
from purchases.publisher import Cause
from purchases.store import commands
from purchases.store.rows import Payment, Purchase, Refund


async def request_credit(session: AsyncSession, *, purchase: Purchase, payment: Payment, cause: Cause) -> None:
    """Have all that credit paid of a late payment given back; asked twice it is one."""
    refund_id = uuid.uuid5(purchase.id, f"credit {payment.stripe_invoice_id}")
    if any(one.id == refund_id for one in purchase.refunds):
        return
    refund = credit_of(payment, payment.credit_cents, refund_id=refund_id, cause=cause)
    purchase.refunds.append(refund)
    await ask_for_credit(session, refund)


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


async def ask_for_credit(session: AsyncSession, refund: Refund) -> None:
    """Have the requested credit given after this commit."""
    await commands.ask(
        session,
        kind="return_credit",
        subject=str(refund.id),
        purchase_id=str(refund.purchase_id),
        invoice_id=refund.stripe_invoice_id,
    )
