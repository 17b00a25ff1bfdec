"""Money that is not surely the purchase's: nothing moves, the team is mailed once, staff decides."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.process.logs import get_logger
from contracts.purchase_facts import PaymentParked
from purchases.ledger.money import Mismatch
from purchases.ledger.publish import Cause, announce
from purchases.ledger.rows import ParkedPayment, Payment, Purchase
from purchases.stripe_api.values import Finding, PaidInvoice

log = get_logger(__name__)


async def park_payment(
    session: AsyncSession, *, purchase: Purchase, invoice: PaidInvoice, mismatch: Mismatch, cause: Cause
) -> None:
    """Record the money, and publish it the first time only, however many events and fetches show it."""
    await _park(
        session,
        purchase,
        cause.because(mismatch.reason),
        invoice_id=invoice.invoice_id,
        paid_cents=invoice.amount_paid,
        currency=invoice.currency.upper(),
    )


async def park_open_invoice(
    session: AsyncSession, *, purchase: Purchase, finding: Finding, paid_cents: int = 0, cause: Cause
) -> None:
    """Record an invoice that stays open for too long, and why by `cause`; its purchase keeps its slot."""
    await _park(
        session,
        purchase,
        cause,
        invoice_id=str(finding.invoice_id),
        paid_cents=paid_cents,
        currency=finding.currency or purchase.currency,
    )


async def park_outside_money(session: AsyncSession, *, purchase: Purchase, payment: Payment, cause: Cause) -> None:
    """Record what was paid outside of Stripe and has to go back, which only people can do."""
    await _park(
        session,
        purchase,
        cause,
        invoice_id=payment.stripe_invoice_id,
        paid_cents=payment.off_stripe_cents,
        currency=payment.currency,
    )


async def _park(
    session: AsyncSession, purchase: Purchase, cause: Cause, *, invoice_id: str, paid_cents: int, currency: str
) -> None:
    row = {
        "purchase_id": purchase.id,
        "stripe_invoice_id": invoice_id,
        "amount_paid_cents": paid_cents,
        "currency": currency,
        "reason": cause.reason,
        "parked_at": cause.at,
    }
    new = insert(ParkedPayment).values(row).on_conflict_do_nothing().returning(ParkedPayment.stripe_invoice_id)
    if (await session.execute(new)).first() is None:
        return
    log.error("payment_parked", purchase=str(purchase.id), invoice=invoice_id, reason=cause.reason)
    announce(
        session,
        purchase,
        PaymentParked,
        cause=cause,
        stripe_invoice_id=invoice_id,
        amount_paid_cents=paid_cents,
        amount_paid_currency=currency,
    )
