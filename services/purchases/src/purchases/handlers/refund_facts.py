"""Appliers of what Stripe says of refunds: by the charge's cumulative figure, and one by one."""

from chassis.records import Received
from contracts import stripe_facts as told
from purchases.handlers.apply_refund import ToldRefund, apply_refund, follow_the_money, payment_behind
from purchases.handlers.learn_ids import learn_of_invoice, paid_mark
from purchases.handlers.work import Work, cause_of, count, fact_as
from purchases.publisher import Cause
from purchases.store import commands
from purchases.store.rows import Payment, Purchase


async def charge_refunded(work: Work, received: Received) -> None:
    fact = fact_as(told.ChargeRefunded, received)
    found = await _payment_of(work, received, fact, invoice_id=fact.invoice_id)
    if found is None:
        return
    purchase, payment = found
    cause = cause_of(fact)
    for refund in fact.refunds:
        await apply_refund(work.session, purchase=purchase, payment=payment, told=told_refund(refund), cause=cause)
    await _take_the_sum(work, purchase, payment, fact, cause)
    count(fact, "applied")


async def _take_the_sum(
    work: Work, purchase: Purchase, payment: Payment, fact: told.ChargeRefunded, cause: Cause
) -> None:
    """The cumulative figure counts at once, for the charge paid this purchase alone; a look brings the refunds' ids."""
    payment.charge_refunded_cents = max(payment.charge_refunded_cents, fact.amount_refunded)
    await follow_the_money(work.session, purchase=purchase, cause=cause)
    if sum(refund.amount for refund in fact.refunds) != fact.amount_refunded:
        await commands.ask(
            work.session,
            kind="look_at_charge",
            subject=fact.charge_id,
            purchase_id=str(purchase.id),
            currency=fact.currency,
        )


async def refund_changed(work: Work, received: Received) -> None:
    fact = fact_as(told.RefundChanged, received)
    found = await _payment_of(work, received, fact)
    if found is None:
        return
    purchase, payment = found
    refund = told_refund(fact.refund)
    await apply_refund(work.session, purchase=purchase, payment=payment, told=refund, cause=cause_of(fact))
    count(fact, "applied")


async def _payment_of(
    work: Work, received: Received, fact: told.ChargeRefunded | told.RefundChanged, *, invoice_id: str | None = None
) -> tuple[Purchase, Payment] | None:
    """The payment whose money went back; None when the fact waits until it is known."""
    purchase = next(iter(work.purchases_of(fact)), None)
    if purchase is not None and not purchase.payments:
        await _wait_for_payment(work, received, purchase)
        return None
    ids = {"payment_intent_id": fact.payment_intent_id, "charge_id": fact.charge_id}
    payment = payment_behind(purchase, **ids, invoice_id=invoice_id) if purchase else None
    if purchase is None or payment is None:
        await _ask_whose(work, received, fact.payment_intent_id, fact.charge_id)
        return None
    work.learn(purchase, learn_of_invoice(purchase, invoice_id=payment.stripe_invoice_id, **ids))
    return purchase, payment


async def _wait_for_payment(work: Work, received: Received, purchase: Purchase) -> None:
    """A refund of a purchase whose payment we have not seen: the payment must be somewhere, so we look for it."""
    await work.park(received, reason="refund before its payment", waits_for=paid_mark(purchase))
    await commands.ask(work.session, kind="settle", subject=str(purchase.id))
    count(received.fact, "waits")


async def _ask_whose(work: Work, received: Received, payment_intent_id: str | None, charge_id: str | None) -> None:
    """A refund of a payment that is not known: parked until Stripe has said whose payment it is."""
    subject = payment_intent_id or charge_id
    await work.park(received, reason="a refund of an unknown payment", waits_for=subject)
    if subject is not None:
        await commands.ask(
            work.session, kind="identify", subject=subject, payment_intent_id=payment_intent_id, charge_id=charge_id
        )
    count(received.fact, "waits")


def told_refund(refund: told.RefundSnapshot) -> ToldRefund:
    """The event's refund as the handler takes it."""
    return ToldRefund(
        refund_id=refund.refund_id,
        refund_cents=refund.amount,
        currency=refund.currency,
        status=refund.status,
        requested_id=refund.requested_id,
        failure_reason=refund.failure_reason,
    )
