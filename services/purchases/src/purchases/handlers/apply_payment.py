"""Money that Stripe confirmed: it settles the purchase, is known already, goes back, or is set aside."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.logs import get_logger
from contracts import purchase_facts
from purchases.domain.money import Line, Mismatch, Money, PaidInvoice, Sold, judge, our_line
from purchases.domain.transitions import Status, Trigger
from purchases.handlers.learn_ids import learn_ids, learn_payment_ids, paid_mark
from purchases.handlers.move_purchase import move
from purchases.publisher import Cause, announce
from purchases.store import commands, ledger
from purchases.store.rows import Payment, Purchase

log = get_logger(__name__)

LATE_MONEY = "paid after the purchase was {status}; the money goes back"


async def apply_payment(
    session: AsyncSession, *, purchase: Purchase, invoice: PaidInvoice, cause: Cause
) -> Mismatch | list[str]:
    """Apply a paid invoice to the locked `purchase`; return the ids learned, or why the money does not fit."""
    known = _payment_of(purchase, invoice.invoice_id)
    if known is not None:
        return _complete(purchase, known, invoice)
    line = our_line(sold=_sold(purchase), invoice=invoice)
    if isinstance(line, Mismatch):
        return line
    slot_free = await _slot_free(session, purchase)
    seen = [payment.stripe_invoice_id for payment in purchase.payments]
    money = judge(status=purchase.status, seen_invoices=seen, invoice_id=invoice.invoice_id, slot_free=slot_free)
    if money is Money.SETTLES:
        return _settle(session, purchase, invoice, line, cause)
    return await _send_back(session, purchase, invoice, line, cause)


def _settle(session: AsyncSession, purchase: Purchase, invoice: PaidInvoice, line: Line, cause: Cause) -> list[str]:
    learned = learn_ids(
        purchase,
        invoice_id=invoice.invoice_id,
        payment_intent_id=invoice.payment_intent_id,
        charge_id=invoice.charge_id,
    )
    purchase.paid_cents = line.paid_cents
    purchase.payable = False
    purchase.action_url = None
    purchase.payments.append(_payment(purchase, invoice, line, cause, returned=False))
    move(session, purchase, Trigger.PAYMENT_SUCCEEDED, cause=cause)
    return [*learned, paid_mark(purchase)]


async def _send_back(
    session: AsyncSession, purchase: Purchase, invoice: PaidInvoice, line: Line, cause: Cause
) -> list[str]:
    reason = LATE_MONEY.format(status=purchase.status.value)
    purchase.payments.append(_payment(purchase, invoice, line, cause, returned=True))
    if purchase.stripe_invoice_id == invoice.invoice_id:
        purchase.payable = False
    announce(
        session,
        purchase,
        purchase_facts.PaymentReturned,
        cause=Cause(actor=cause.actor, at=cause.at, stripe_event_id=cause.stripe_event_id, reason=reason),
        stripe_invoice_id=invoice.invoice_id,
        returned_cents=line.paid_cents,
    )
    await commands.ask(
        session, kind="return_payment", subject=str(purchase.id), invoice_id=invoice.invoice_id, amount=line.paid_cents
    )
    log.warning("payment_returned", purchase=str(purchase.id), invoice=invoice.invoice_id, reason=reason)
    return [id_ for id_ in (invoice.payment_intent_id, invoice.charge_id, paid_mark(purchase)) if id_]


def _complete(purchase: Purchase, known: Payment, invoice: PaidInvoice) -> list[str]:
    """A payment that was recorded before: only its ids may be news."""
    if purchase.stripe_invoice_id == invoice.invoice_id:
        purchase.payable = False
        learn_ids(purchase, payment_intent_id=invoice.payment_intent_id, charge_id=invoice.charge_id)
    return learn_payment_ids(known, payment_intent_id=invoice.payment_intent_id, charge_id=invoice.charge_id)


async def _slot_free(session: AsyncSession, purchase: Purchase) -> bool:
    if purchase.status is not Status.FAILED or purchase.payable:
        return True
    holder = await ledger.slot_holder(
        session, workspace_id=purchase.workspace_id, addon_id=purchase.plan_addon_id, other_than=purchase.id
    )
    return holder is None


def _payment_of(purchase: Purchase, invoice_id: str) -> Payment | None:
    return next((one for one in purchase.payments if one.stripe_invoice_id == invoice_id), None)


def _sold(purchase: Purchase) -> Sold:
    return Sold(
        purchase_id=str(purchase.id),
        price_cents=purchase.price_cents,
        currency=purchase.currency,
        price_id=purchase.stripe_price_id,
        customer_id=purchase.stripe_customer_id,
    )


def _payment(purchase: Purchase, invoice: PaidInvoice, line: Line, cause: Cause, *, returned: bool) -> Payment:
    return Payment(
        purchase_id=purchase.id,
        stripe_invoice_id=invoice.invoice_id,
        stripe_payment_intent_id=invoice.payment_intent_id or _own_intent(purchase, invoice),
        stripe_charge_id=invoice.charge_id,
        paid_cents=line.paid_cents,
        currency=purchase.currency,
        returned=returned,
        recorded_at=cause.at,
    )


def _own_intent(purchase: Purchase, invoice: PaidInvoice) -> str | None:
    return purchase.stripe_payment_intent_id if purchase.stripe_invoice_id == invoice.invoice_id else None
