"""Money that is not surely the purchase's: nothing moves, the team is told once, staff decides."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.logs import get_logger
from contracts.purchase_facts import PaymentParked
from purchases.domain.money import Mismatch, PaidInvoice
from purchases.publisher import Cause, announce
from purchases.store.rows import ParkedPayment, Purchase

log = get_logger(__name__)


async def park_payment(
    session: AsyncSession, *, purchase: Purchase, invoice: PaidInvoice, mismatch: Mismatch, cause: Cause
) -> None:
    """Record the money; announce it the first time only, however many events and looks tell of it."""
    row = {
        "purchase_id": purchase.id,
        "stripe_invoice_id": invoice.invoice_id,
        "amount_paid_cents": invoice.amount_paid,
        "currency": invoice.currency.upper(),
        "reason": mismatch.reason,
        "parked_at": cause.at,
    }
    new = insert(ParkedPayment).values(row).on_conflict_do_nothing().returning(ParkedPayment.stripe_invoice_id)
    if (await session.execute(new)).first() is None:
        return
    log.error("payment_parked", purchase=str(purchase.id), invoice=invoice.invoice_id, reason=mismatch.reason)
    announce(
        session,
        purchase,
        PaymentParked,
        cause=cause.because(mismatch.reason),
        stripe_invoice_id=invoice.invoice_id,
        amount_paid_cents=invoice.amount_paid,
        amount_paid_currency=invoice.currency.upper(),
    )
