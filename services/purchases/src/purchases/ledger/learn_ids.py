"""A Stripe id that becomes known: stored on the row, and whatever waited for it is tried again."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox import parked
from purchases.ledger.rows import Charge, Payment, Purchase
from purchases.stripe_api.values import Line, PaidInvoice, Part


def paid_mark(purchase: Purchase) -> str:
    """Return what a refund waits for that was seen before its payment."""
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
    given = {
        "stripe_invoice_id": invoice_id,
        "stripe_payment_intent_id": payment_intent_id,
        "stripe_charge_id": charge_id,
        "stripe_checkout_session_id": checkout_session_id,
        "stripe_subscription_id": subscription_id,
    }
    new = {name: value for name, value in given.items() if value and getattr(purchase, name) is None}
    for name, value in new.items():
        setattr(purchase, name, value)
    return [value for value in new.values() if value]


def learn_of_invoice(purchase: Purchase, *, invoice_id: str, parts: Sequence[Part]) -> list[str]:
    """Keep what paid an invoice, on the row if it is its own, and on the payment that it made; return new ids."""
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
    """Return whether the purchase was charged with this invoice, as far as is known."""
    return purchase.stripe_invoice_id in (None, invoice_id)


async def release_waiting(session: AsyncSession, ids: Collection[str]) -> None:
    """Have parked facts that wait for `ids` tried again. Call it last: rows are locked before ids."""
    if ids:
        await session.flush()
        await parked.lock_ids(session, (), stored=ids)
        await parked.release(session, ids=ids)


def charge_named(payment: Payment, *, payment_intent_id: str | None, charge_id: str | None) -> Charge | None:
    """Return the charge of `payment` that one of these ids names, the intent first."""
    for name, wanted in (("stripe_payment_intent_id", payment_intent_id), ("stripe_charge_id", charge_id)):
        for charge in payment.charges if wanted else ():
            if getattr(charge, name) == wanted:
                return charge
    return None


def may_be_of(payment: Payment, *, payment_intent_id: str | None, charge_id: str | None) -> bool:
    """Return whether nothing that is known of the payment's charges speaks against these ids."""
    intents = {charge.stripe_payment_intent_id for charge in payment.charges} - {None}
    charges = {charge.stripe_charge_id for charge in payment.charges} - {None}
    return _fits(payment_intent_id, intents) and _fits(charge_id, charges)


def _fits(given: str | None, known: set[str | None]) -> bool:
    return given is None or not known or given in known


def refundable_charges(payment: Payment) -> list[Charge]:
    """Return the charges through which money can go back: those that took some, or of which nobody knows how much."""
    return [charge for charge in payment.charges if charge.amount_cents != 0]


def learn_parts(payment: Payment, parts: Iterable[Part]) -> list[str]:
    """Keep what is said of the payment's charges; return the ids that are new."""
    return [learned for part in parts for learned in _learn(payment, part)]


def learn_how_paid(payment: Payment, invoice: PaidInvoice, line: Line) -> None:
    """Keep what of the payment the customer's credit paid, and what was paid outside of Stripe; each once."""
    if not payment.credit_cents:
        payment.credit_cents = min(invoice.share_of(line, invoice.credit_cents), payment.paid_cents)
    if not payment.off_stripe_cents and invoice.off_stripe_cents:
        payment.off_stripe_cents = invoice.share_of(line, invoice.off_stripe_cents)
        payment.invoice_paid_cents = invoice.charged_cents
        _share_out(payment)


def _learn(payment: Payment, part: Part) -> list[str]:
    """Keep the ids and, if said, the amount in minor units of one charge; return the ids that are new.

    Only Stripe's own list, which also says how much, overwrites an id: what was known before was a guess.
    """
    ids = {"payment_intent_id": part.payment_intent_id, "charge_id": part.charge_id}
    if not any(ids.values()):
        return []
    charge = charge_named(payment, **ids) or _fitting(payment, part) or _new(payment)
    new = []
    for name, value in ids.items():
        known = getattr(charge, f"stripe_{name}")
        if value and value != known and (known is None or part.cents is not None):
            setattr(charge, f"stripe_{name}", value)
            new.append(value)
    if part.cents is not None:
        charge.amount_cents, charge.amount_is_known = max(part.cents, charge.refunded_cents), True
    _share_out(payment)
    return new


def _fitting(payment: Payment, part: Part) -> Charge | None:
    """Return the only charge that lacks one of these ids, and that the other one does not speak against."""
    open_ = [charge for charge in payment.charges if not charge.amount_is_known and _may_be(charge, part)]
    return open_[0] if len(open_) == 1 else None


def _may_be(charge: Charge, part: Part) -> bool:
    intent, known = part.payment_intent_id, charge.stripe_payment_intent_id
    if intent and known and intent != known:
        return False
    return not (part.charge_id and charge.stripe_charge_id and part.charge_id != charge.stripe_charge_id)


def _new(payment: Payment) -> Charge:
    charge = Charge(
        purchase_id=payment.purchase_id,
        stripe_invoice_id=payment.stripe_invoice_id,
        number=len(payment.charges) + 1,
        amount_is_known=False,
        refunded_cents=0,
    )
    payment.charges.append(charge)
    return charge


def _share_out(payment: Payment) -> None:
    """Give the one charge whose amount Stripe did not say what the others leave; of several, nobody knows."""
    unsaid = [charge for charge in payment.charges if not charge.amount_is_known]
    left = payment.invoice_paid_cents - sum(
        charge.amount_cents or 0 for charge in payment.charges if charge.amount_is_known
    )
    for charge in unsaid:
        charge.amount_cents = max(left, charge.refunded_cents) if len(unsaid) == 1 else None
