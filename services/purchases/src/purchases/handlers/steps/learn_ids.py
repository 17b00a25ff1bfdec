"""A Stripe id that becomes known: stored on the row, and whatever waited for it is tried again."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parked
from purchases.store.rows import Payment, Purchase


def paid_mark(purchase: Purchase) -> str:
    """What a refund waits for that was seen before its payment."""
    return f"paid:{purchase.id}"


def learn_ids(
    purchase: Purchase,
    *,
    invoice_id: str | None = None,
    payment_intent_id: str | None = None,
    charge_id: str | None = None,
    checkout_session_id: str | None = None,
    subscription_id: str | None = None,
) -> list[str]:
    """Fill in what the row does not know yet; return the ids that are new. Ids are never overwritten."""
    told = {
        "stripe_invoice_id": invoice_id,
        "stripe_payment_intent_id": payment_intent_id,
        "stripe_charge_id": charge_id,
        "stripe_checkout_session_id": checkout_session_id,
        "stripe_subscription_id": subscription_id,
    }
    new = {name: value for name, value in told.items() if value and getattr(purchase, name) is None}
    for name, value in new.items():
        setattr(purchase, name, value)
    return [value for value in new.values() if value]


def learn_payment_ids(payment: Payment, *, payment_intent_id: str | None, charge_id: str | None) -> list[str]:
    """The same for one payment of a purchase."""
    new = []
    if payment_intent_id and payment.stripe_payment_intent_id is None:
        payment.stripe_payment_intent_id = payment_intent_id
        new.append(payment_intent_id)
    if charge_id and payment.stripe_charge_id is None:
        payment.stripe_charge_id = charge_id
        new.append(charge_id)
    return new


def learn_of_invoice(
    purchase: Purchase, *, invoice_id: str, payment_intent_id: str | None, charge_id: str | None
) -> list[str]:
    """What paid an invoice: kept on the row when the invoice is its own, and on the payment that the invoice made."""
    learned = []
    if is_own_invoice(purchase, invoice_id):
        learned += learn_ids(purchase, invoice_id=invoice_id, payment_intent_id=payment_intent_id, charge_id=charge_id)
    for payment in purchase.payments:
        if payment.stripe_invoice_id == invoice_id:
            learned += learn_payment_ids(payment, payment_intent_id=payment_intent_id, charge_id=charge_id)
    return learned


def is_own_invoice(purchase: Purchase, invoice_id: str) -> bool:
    """Whether it is the invoice that the purchase was charged with, as far as is known."""
    return purchase.stripe_invoice_id in (None, invoice_id)


async def release(session: AsyncSession, ids: Collection[str]) -> None:
    """Have parked facts that wait for `ids` tried again. Call it last: rows are locked before ids."""
    if ids:
        await session.flush()
        await parked.lock_ids(session, (), stored=ids)
        await parked.release(session, ids=ids)
