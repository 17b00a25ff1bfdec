"""Money that is not surely the purchase's: nothing moves, the team is mailed once, staff decides."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.process.logs import get_logger
from contracts.purchase_facts import PaymentParked
from purchases.ledger.publish import Cause, announce
from purchases.ledger.rows import ParkedPayment, Purchase

log = get_logger(__name__)


async def park_payment(
    session: AsyncSession, *, purchase: Purchase, invoice_id: str, paid_cents: int, currency: str, cause: Cause
) -> None:
    """Record what an invoice brought, minor units of `currency` (upper case), and by `cause` why it is parked.

    That is money that does not fit, an invoice that stays open for too long, whose purchase keeps its slot, or what was
    paid outside of Stripe and has to go back, which only people can do. It is published the first time only, however
    many events and fetches show it.
    """
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
