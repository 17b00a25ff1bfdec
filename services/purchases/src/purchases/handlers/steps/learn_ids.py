"""A Stripe id that becomes known: stored on the row, and whatever waited for it is tried again."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parked
from purchases.domain.stripe_values import Part
from purchases.handlers.steps.learn_charges import learn_parts
from purchases.store.rows import Purchase


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


def learn_of_invoice(purchase: Purchase, *, invoice_id: str, parts: Sequence[Part]) -> list[str]:
    """What paid an invoice: kept on the row when the invoice is its own, and on the payment that the invoice made."""
    learned = []
    if is_own_invoice(purchase, invoice_id):
        first = parts[0] if parts else Part()
        ids = {"payment_intent_id": first.payment_intent_id, "charge_id": first.charge_id}
        learned += learn_ids(purchase, invoice_id=invoice_id, **ids)
    for payment in purchase.payments:
        if payment.stripe_invoice_id == invoice_id:
            learned += learn_parts(payment, parts)
    return list(dict.fromkeys(learned))


def is_own_invoice(purchase: Purchase, invoice_id: str) -> bool:
    """Whether it is the invoice that the purchase was charged with, as far as is known."""
    return purchase.stripe_invoice_id in (None, invoice_id)


async def release(session: AsyncSession, ids: Collection[str]) -> None:
    """Have parked facts that wait for `ids` tried again. Call it last: rows are locked before ids."""
    if ids:
        await session.flush()
        await parked.lock_ids(session, (), stored=ids)
        await parked.release(session, ids=ids)
