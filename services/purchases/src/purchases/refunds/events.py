"""Appliers of what Stripe says of refunds: by the charge's cumulative figure, and one by one."""

from typing import Final

from chassis.kafka.records import Received
from chassis.outbox import parked
from contracts import stripe_facts
from purchases.batch.context import BatchContext, cause_of, count_outcome, fact_as
from purchases.batch.fetched_facts import refund_fact
from purchases.batch.parking import allocation_mark, waits_as, was_ended_by_staff
from purchases.jobs.kinds import SyncRefunds
from purchases.jobs.store import enqueue
from purchases.ledger.apply_refund import StripeRefund, book_charge_sum
from purchases.ledger.publish import Cause
from purchases.refunds.allocate_refund import Paid, allocate_refund, charge_of, exceeds
from purchases.refunds.rules import Shares
from purchases.refunds.whose_payment import is_foreign, paid_by
from purchases.stripe_api.reading import Fetched

OF_ONE_OF_SEVERAL: Final = "the charge paid several things, and this names none of them"
MORE_THAN_THE_CHARGE: Final = "with it more than the charge would have gone back, and Stripe lists it so"


async def charge_refunded(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.ChargeRefunded, received)
    paid = await paid_by(context, received, fact, invoice_id=fact.invoice_id)
    if not paid or await is_foreign(context, received, fact, paid, what="refund", currency=fact.currency):
        return
    cause = cause_of(fact)
    allocated = [await _allocate(context, paid, stripe_refund(one, of=fact), cause) for one in fact.refunds]
    is_whole = all(fact.amount >= one.payment.invoice_paid_cents for one in paid)
    if is_whole:
        await _take_the_sum(context, paid, fact, cause)
    if None in allocated or not is_whole or sum(refund.amount for refund in fact.refunds) != fact.amount_refunded:
        await _enqueue_sync(context, paid, fact.charge_id, fact.currency)
    count_outcome(fact, "applied")


async def _allocate(context: BatchContext, paid: list[Paid], refund: StripeRefund, cause: Cause) -> Shares | None:
    """Allocate it; return None when Stripe's list of the charge's refunds must say where it falls, or if it can be."""
    return (
        None if exceeds(paid, refund) else await allocate_refund(context.session, paid=paid, seen=refund, cause=cause)
    )


async def _take_the_sum(
    context: BatchContext, paid: list[Paid], fact: stripe_facts.ChargeRefunded, cause: Cause
) -> None:
    """Count the cumulative figure at once where the charge paid one purchase alone, or all of it went back."""
    shared = charge_of(paid).shared
    for one in paid:
        if not shared or fact.amount_refunded >= fact.amount:
            reported_cents = one.payment.card_cents if shared else fact.amount_refunded
            cents = max(one.payment.charge_refunded_cents, reported_cents)
            await book_charge_sum(context.session, purchase=one.purchase, payment=one.payment, cents=cents, cause=cause)


async def refund_changed(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.RefundChanged, received)
    paid = await paid_by(context, received, fact)
    if not paid or await is_foreign(context, received, fact, paid, what="refund", currency=fact.refund.currency):
        return
    refund = stripe_refund(fact.refund, of=fact)
    shares = await _allocate(context, paid, refund, cause_of(fact))
    if shares is None:
        reason = MORE_THAN_THE_CHARGE if exceeds(paid, refund) else OF_ONE_OF_SEVERAL
        await set_aside(context, received, refund.refund_id, reason=reason)
        await _enqueue_sync(context, paid, fact.charge_id or fact.payment_intent_id, fact.refund.currency)
        return
    if not shares:
        # The plan's, or failed before anybody could say whose it was: nothing is left to be said.
        why = "of the plan, and of no purchase" if refund.of_the_plan else "it did not go back"
        await parked.discard(context.session, ids=[allocation_mark(refund.refund_id)], resolution=why)
    count_outcome(fact, "applied")


async def set_aside(
    context: BatchContext, received: Received, refund_id: str, *, reason: str = OF_ONE_OF_SEVERAL
) -> None:
    """Park money back of which nobody knows where it falls, or how it can be, once, for staff.

    What they have ended stays ended, whatever other event comes of it. No timer tries it again: it would fetch the
    same list, and park it as before.
    """
    mark = allocation_mark(refund_id)
    if await waits_as(context.session, mark) is not None or await was_ended_by_staff(context.session, mark):
        count_outcome(received.fact, "parked_already")
        return
    await context.park(received, reason=reason, waits_for=mark, again=False)
    count_outcome(received.fact, "parked")


async def _enqueue_sync(context: BatchContext, paid: list[Paid], subject: str | None, currency: str) -> None:
    """Enqueue a sync of the charge's refunds: their ids, or which of several purchases they are of, no event shows."""
    if subject is not None:
        await enqueue(context.session, SyncRefunds(payment=subject, purchase_id=paid[0].purchase.id, currency=currency))


def stripe_refund(
    refund: stripe_facts.RefundSnapshot, *, of: stripe_facts.RefundChanged | stripe_facts.ChargeRefunded
) -> StripeRefund:
    """Return the event's refund as the handler takes it; `of` names its charge."""
    return StripeRefund(
        refund_id=refund.refund_id,
        refund_cents=refund.amount,
        currency=refund.currency,
        status=refund.status,
        purchase_id=refund.purchase_id,
        requested_id=refund.requested_id,
        of_the_plan=refund.returned_invoice_id is not None,
        failure_reason=refund.failure_reason,
        payment_intent_id=of.payment_intent_id,
        charge_id=of.charge_id,
    )


def refund_of_object(refund: Fetched) -> StripeRefund:
    """Return what a refund object of Stripe's API says. Raises UnknownShape."""
    fact = refund_fact(refund)
    return stripe_refund(fact.refund, of=fact)
