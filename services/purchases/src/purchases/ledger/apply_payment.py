"""Money that Stripe confirmed: it settles the purchase, is known already, goes back, or is set aside."""

import uuid
from collections.abc import Mapping, Sequence
from itertools import chain

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.process.logs import get_logger
from contracts import purchase_facts
from purchases.jobs.kinds import RefundUnmatchedPayment, SyncRefunds, VoidInvoice
from purchases.jobs.store import enqueue
from purchases.ledger import plan_money
from purchases.ledger import store as ledger
from purchases.ledger.apply_refund import follow_the_money, request_credit
from purchases.ledger.learn_ids import is_own_invoice, learn_how_paid, learn_of_invoice, learn_parts, paid_mark
from purchases.ledger.money import NO_LINE, Mismatch, Money, Sold, judge, our_lines
from purchases.ledger.move import end_payable, move
from purchases.ledger.park_payment import park_payment
from purchases.ledger.publish import Cause, announce, charged_cents
from purchases.ledger.rows import Payment, Purchase
from purchases.ledger.transitions import Status, Trigger
from purchases.stripe_api.values import Line, PaidInvoice, Part

log = get_logger(__name__)

LATE_MONEY = "paid after the purchase was {status}; the money goes back"
LATE_OUTSIDE = "paid outside of Stripe after the purchase was {status}: it cannot be sent back through Stripe"


async def apply_invoice(
    session: AsyncSession, *, purchases: Sequence[Purchase], invoice: PaidInvoice, cause: Cause
) -> dict[uuid.UUID, Mismatch | list[str]]:
    """Apply a paid invoice to each of the locked `purchases` that a line of it pays, by purchase id.

    A purchase without a line in a subscription's invoice is not paid by it, and is not among the outcomes.
    """
    lines = our_lines(sold=[_sold(purchase) for purchase in purchases], invoice=invoice)
    new = [
        purchase
        for purchase in purchases
        if not has_payment(purchase, invoice.invoice_id) and isinstance(lines[str(purchase.id)], Line)
    ]
    shares_with = await _paid_before(session, new, invoice, lines)
    outcomes: dict[uuid.UUID, Mismatch | list[str]] = {}
    for purchase in purchases:
        line = lines[str(purchase.id)]
        if not has_payment(purchase, invoice.invoice_id) and line == NO_LINE and invoice.subscription_id is not None:
            continue
        outcomes[purchase.id] = await _apply(session, purchase, invoice, line, cause)
    shares_with = shares_with or await _was_taken_for_the_plans(session, new, invoice)
    if shares_with is not None:
        await enqueue_refund_sync(session, shares_with, parts=invoice.parts)
    return outcomes


async def _paid_before(
    session: AsyncSession, new: Sequence[Purchase], invoice: PaidInvoice, lines: Mapping[str, Line | Mismatch]
) -> Payment | None:
    """Return another purchase's payment by the same money, recorded while `new` was not known to share it."""
    shared = (invoice.paid_more_than(line) for purchase in new if isinstance(line := lines[str(purchase.id)], Line))
    return await ledger.payment_with(session, invoice.invoice_id) if any(shared) else None


async def enqueue_refund_sync(session: AsyncSession, known: Payment, *, parts: Sequence[Part] = ()) -> None:
    """Have the refunds of all that paid the invoice listed: what went back before was given to what was known then."""
    intents = (part.payment_intent_id for part in parts), (charge.stripe_payment_intent_id for charge in known.charges)
    charges = (part.charge_id for part in parts), (charge.stripe_charge_id for charge in known.charges)
    of_the_plan = await plan_money.charges_of(session, known.stripe_invoice_id)
    subject = next(filter(None, chain(*intents, *charges, of_the_plan)), None)
    if subject is not None:
        await enqueue(session, SyncRefunds(payment=subject, purchase_id=known.purchase_id, currency=known.currency))


async def _was_taken_for_the_plans(
    session: AsyncSession, new: Sequence[Purchase], invoice: PaidInvoice
) -> Payment | None:
    """Return the payment recorded now of which something went back before, when only the plan was known to be paid."""
    if invoice.subscription_id is None:
        return None  # it sold no plan; a question for each invoice would cost a batch of them a statement each
    if not new or not await plan_money.went_back(session, invoice.invoice_id):
        return None
    return _payment_by(new[0], invoice.invoice_id)


async def apply_payment(
    session: AsyncSession, *, purchase: Purchase, invoice: PaidInvoice, cause: Cause
) -> Mismatch | list[str]:
    """Apply a paid invoice to the locked `purchase`; return the ids to release, or why the money does not fit.

    Money that does not fit has been recorded and the team mailed; nothing else has changed.
    """
    outcomes = await apply_invoice(session, purchases=[purchase], invoice=invoice, cause=cause)
    return outcomes.get(purchase.id, NO_LINE)


async def _apply(
    session: AsyncSession, purchase: Purchase, invoice: PaidInvoice, line: Line | Mismatch, cause: Cause
) -> Mismatch | list[str]:
    if has_payment(purchase, invoice.invoice_id):
        # One that counts as refunded, by what was known then, stays so.
        before = charged_cents(purchase)
        learned = _complete(purchase, invoice, NO_LINE if purchase.status is Status.REFUNDED else line)
        if charged_cents(purchase) != before:
            await follow_the_money(session, purchase=purchase, cause=cause)
        return learned
    if isinstance(line, Mismatch):
        await park_payment(
            session,
            purchase=purchase,
            invoice_id=invoice.invoice_id,
            paid_cents=invoice.amount_paid,
            currency=invoice.currency.upper(),
            cause=cause.because(line.reason),
        )
        return line
    slot_free = await _slot_free(session, purchase)
    seen = [payment.stripe_invoice_id for payment in purchase.payments]
    money = judge(status=purchase.status, seen_invoices=seen, invoice_id=invoice.invoice_id, slot_free=slot_free)
    purchase.payments.append(_payment(purchase, invoice, line, cause, returned=money is Money.TO_RETURN))
    learned = _complete(purchase, invoice, line)
    if money is Money.SETTLES:
        await _settle(session, purchase, invoice, line, cause)
    else:
        await _send_back(session, purchase, invoice, cause)
    return [*learned, *_ids(invoice), paid_mark(purchase)]


async def _settle(session: AsyncSession, purchase: Purchase, invoice: PaidInvoice, line: Line, cause: Cause) -> None:
    purchase.paid_cents = line.paid_cents
    if not is_own_invoice(purchase, invoice.invoice_id):
        # Paid by another invoice: its own is still open and must not be paid as well.
        await enqueue(session, VoidInvoice(purchase_id=purchase.id))
    move(session, purchase, Trigger.PAYMENT_SUCCEEDED, cause=cause)


async def _send_back(session: AsyncSession, purchase: Purchase, invoice: PaidInvoice, cause: Cause) -> None:
    payment = _payment_by(purchase, invoice.invoice_id)
    if payment.off_stripe_cents:
        await park_payment(
            session,
            purchase=purchase,
            invoice_id=invoice.invoice_id,
            paid_cents=payment.off_stripe_cents,
            currency=payment.currency,
            cause=cause.because(LATE_OUTSIDE.format(status=purchase.status.value)),
        )
    if not payment.returnable_cents:
        return
    reason = LATE_MONEY.format(status=purchase.status.value)
    announce(
        session,
        purchase,
        purchase_facts.PaymentReturned,
        cause=cause.because(reason),
        stripe_invoice_id=invoice.invoice_id,
        returned_cents=payment.returnable_cents,
        returned_credit_cents=payment.credit_cents,
    )
    if payment.credit_cents:
        await request_credit(session, purchase=purchase, payment=payment, cause=cause.because(reason))
    if payment.card_cents:
        await enqueue(
            session,
            RefundUnmatchedPayment(purchase_id=purchase.id, invoice_id=invoice.invoice_id, amount=payment.card_cents),
        )
    log.warning("payment_returned", purchase=str(purchase.id), invoice=invoice.invoice_id, reason=reason)


def _complete(purchase: Purchase, invoice: PaidInvoice, line: Line | Mismatch) -> list[str]:
    """Learn the ids and what paid it, the only news of a recorded payment; its own invoice takes no more money."""
    payment = _payment_by(purchase, invoice.invoice_id)
    if isinstance(line, Line):
        learn_how_paid(payment, invoice, line)
    if is_own_invoice(purchase, invoice.invoice_id):
        end_payable(purchase)
    return learn_of_invoice(purchase, invoice_id=invoice.invoice_id, parts=invoice.parts)


def _ids(invoice: PaidInvoice) -> list[str]:
    parts = [one for part in invoice.parts for one in (part.payment_intent_id, part.charge_id)]
    return [one for one in (invoice.invoice_id, *parts) if one]


async def _slot_free(session: AsyncSession, purchase: Purchase) -> bool:
    if purchase.status is not Status.FAILED or purchase.payable:
        return True
    return not await ledger.slot_is_taken(session, purchase)


def has_payment(purchase: Purchase, invoice_id: str) -> bool:
    """Return whether this invoice's money is recorded for the purchase: heard of again, it is no news."""
    return any(payment.stripe_invoice_id == invoice_id for payment in purchase.payments)


def _payment_by(purchase: Purchase, invoice_id: str) -> Payment:
    return next(payment for payment in purchase.payments if payment.stripe_invoice_id == invoice_id)


def _sold(purchase: Purchase) -> Sold:
    return Sold(
        purchase_id=str(purchase.id),
        price_cents=purchase.price_cents,
        currency=purchase.currency,
        price_id=purchase.stripe_price_id,
        customer_id=purchase.stripe_customer_id,
    )


def _payment(purchase: Purchase, invoice: PaidInvoice, line: Line, cause: Cause, *, returned: bool) -> Payment:
    payment = Payment(
        purchase_id=purchase.id,
        stripe_invoice_id=invoice.invoice_id,
        paid_cents=line.paid_cents,
        invoice_paid_cents=invoice.charged_cents,
        credit_cents=0,
        off_stripe_cents=0,
        shared=invoice.paid_more_than(line),
        currency=purchase.currency,
        returned=returned,
        charge_refunded_cents=0,
        recorded_at=cause.at,
        charges=[],
    )
    learn_parts(payment, [*invoice.parts, *_by_the_row(purchase, invoice)])
    return payment


def _by_the_row(purchase: Purchase, invoice: PaidInvoice) -> list[Part]:
    """Return what the row knows of its own invoice's charge, where the invoice does not say which charges paid it."""
    if purchase.stripe_invoice_id != invoice.invoice_id or any(part.cents is not None for part in invoice.parts):
        return []
    said = invoice.parts[0] if invoice.parts else Part()
    intent_id = said.payment_intent_id or purchase.stripe_payment_intent_id
    return [Part(payment_intent_id=intent_id, charge_id=said.charge_id or purchase.stripe_charge_id)]
