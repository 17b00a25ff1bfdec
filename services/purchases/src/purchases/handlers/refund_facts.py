"""Appliers of what Stripe says of refunds: by the charge's cumulative figure, and one by one."""

from typing import Any

from chassis.records import Received
from contracts import stripe_facts as told
from purchases.handlers.apply_refund import ToldRefund, apply_cumulative, apply_refund, has_payment
from purchases.handlers.learn_ids import learn_ids, paid_mark
from purchases.handlers.references import references_of
from purchases.handlers.work import Work, cause_of, count, fact_as
from purchases.store import commands
from purchases.store.rows import Purchase


async def charge_refunded(work: Work, received: Received) -> None:
    fact = fact_as(told.ChargeRefunded, received)
    purchase = work.purchase_of(*references_of(fact))
    if purchase is None:
        await _ask_whose(work, received, fact.payment_intent_id, fact.charge_id)
        return
    if not has_payment(purchase):
        await _wait_for_payment(work, received, purchase)
        return
    cause = cause_of(fact)
    work.learned += learn_ids(purchase, charge_id=fact.charge_id)
    for refund in fact.refunds:
        one = told_refund(refund, payment_intent_id=fact.payment_intent_id, charge_id=fact.charge_id)
        await apply_refund(work.session, purchase=purchase, told=one, cause=cause)
    if _paid_by(purchase, fact):
        await apply_cumulative(work.session, purchase=purchase, amount_refunded=fact.amount_refunded, cause=cause)
    if sum(refund.amount for refund in fact.refunds) != fact.amount_refunded:
        await commands.ask(
            work.session,
            kind="look_at_charge",
            subject=fact.charge_id,
            purchase_id=str(purchase.id),
            amount_refunded=fact.amount_refunded,
            currency=fact.currency,
        )
    count(fact, "applied")


def _said(purchase: Purchase, fact: told.ChargeRefunded) -> dict[str, Any]:
    return {
        "purchase_id": str(purchase.id),
        "amount_refunded": fact.amount_refunded,
        "currency": fact.currency,
    }


def _paid_by(purchase: Purchase, fact: told.ChargeRefunded) -> bool:
    """Whether this charge is the sale's, and not that of a duplicate which was returned."""
    sale = [payment for payment in purchase.payments if not payment.returned]
    returned = [payment for payment in purchase.payments if payment.returned]
    ids = {fact.payment_intent_id, fact.charge_id} - {None}
    named = any({payment.stripe_payment_intent_id, payment.stripe_charge_id} & ids for payment in sale)
    return named or (bool(sale) and not returned)


async def refund_changed(work: Work, received: Received) -> None:
    fact = fact_as(told.RefundChanged, received)
    purchase = work.purchase_of(*references_of(fact))
    if purchase is None:
        await _ask_whose(work, received, fact.payment_intent_id, fact.charge_id)
        return
    if not has_payment(purchase):
        await _wait_for_payment(work, received, purchase)
        return
    work.learned += learn_ids(purchase, charge_id=fact.charge_id)
    one = told_refund(fact.refund, payment_intent_id=fact.payment_intent_id, charge_id=fact.charge_id)
    await apply_refund(work.session, purchase=purchase, told=one, cause=cause_of(fact))
    count(fact, "applied")


async def _wait_for_payment(work: Work, received: Received, purchase: Purchase) -> None:
    """A refund of a purchase whose payment we have not seen: the payment must be somewhere, so we look for it."""
    await work.park(received, reason="refund before its payment", waits_for=paid_mark(purchase))
    await commands.ask(work.session, kind="settle", subject=str(purchase.id))
    count(received.fact, "waits")


async def _ask_whose(work: Work, received: Received, payment_intent_id: str | None, charge_id: str | None) -> None:
    """A refund that names no purchase of ours: parked until Stripe has said whose payment it is."""
    subject = payment_intent_id or charge_id
    reason = "a refund of an unknown payment"
    await work.park(received, reason=reason, waits_for=subject)
    if subject is not None:
        await commands.ask(
            work.session, kind="identify", subject=subject, payment_intent_id=payment_intent_id, charge_id=charge_id
        )
    count(received.fact, "waits")


def told_refund(refund: told.RefundSnapshot, *, payment_intent_id: str | None, charge_id: str | None) -> ToldRefund:
    """The event's refund as the handler takes it."""
    return ToldRefund(
        refund_id=refund.refund_id,
        refund_cents=refund.amount,
        currency=refund.currency,
        status=refund.status,
        failure_reason=refund.failure_reason,
        payment_intent_id=payment_intent_id,
        charge_id=charge_id,
    )
