"""Refund money that found no purchase to pay, once however often it is tried."""

from dataclasses import replace

from purchases.jobs.kinds import RefundUnmatchedPayment
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, StripeContext
from purchases.ledger import store as ledger
from purchases.ledger.money import COUNTS
from purchases.refunds.events import refund_of_object
from purchases.refunds.send_refund import (
    OutgoingRefund,
    Source,
    learn_sources,
    payment_of,
    record_refund,
    send_refund,
    sources_of,
)
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused
from purchases.stripe_api.money_back import refunds_of


async def refund_unmatched_payment(context: StripeContext, task: Task[RefundUnmatchedPayment]) -> Result:
    """Find whether it was refunded already, refund it if not, and record the refund.

    Raises NothingToReturn, StripeRefused or OutcomeUnknown.
    """
    sources = await sources_of(context, task.job)
    left = task.job.amount
    for source in sources:
        amount = left if len(sources) == 1 or source.cents is None else min(left, source.cents)
        left -= amount
        if amount > 0:
            await _refund(context, task, source, amount)
    return DONE


async def _refund(context: StripeContext, task: Task[RefundUnmatchedPayment], source: Source, amount: int) -> None:
    job = task.job
    outgoing = _outgoing(context, job, source, amount)
    try:
        refund = await send_refund(context, task, outgoing)
    except StripeRefused:
        if await learn_sources(context, job):
            raise OutcomeUnknown("more is known of the charges that paid") from None
        rest = await _rest(context, job, outgoing, source)
        if rest.amount == outgoing.amount:
            raise
        if rest.amount <= 0:
            return
        refund = await send_refund(context, task, rest)
    reason = "money that found no purchase to pay"
    await record_refund(context, job, refund_of_object(refund), actor="quittance", reason=reason)


async def _rest(
    context: StripeContext, job: RefundUnmatchedPayment, outgoing: OutgoingRefund, source: Source
) -> OutgoingRefund:
    """Return it for what is left of the payment: somebody may have sent money back in the Dashboard meanwhile."""
    async with context.database.reading() as session:
        payment = payment_of(await ledger.find(session, job.purchase_id), job)
    refunds = await refunds_of(context.client, outgoing.charge)
    gone = sum(refund.refund_cents for refund in map(refund_of_object, refunds) if refund.status in COUNTS)
    took = source.cents if source.cents is not None else payment.invoice_paid_cents if payment else outgoing.amount
    left = min(outgoing.amount, took - gone)
    return replace(outgoing, amount=left, step=f"{outgoing.step}-{left}")


def _outgoing(context: StripeContext, job: RefundUnmatchedPayment, source: Source, amount: int) -> OutgoingRefund:
    """Build the refund; one invoice may have paid for several purchases, so each is known by both ids."""
    known_by = {"purchase_id": str(job.purchase_id), "returned_invoice": job.invoice_id}
    return OutgoingRefund(
        charge=source.charge,
        amount=amount,
        metadata={"quittance_instance": context.instance} | known_by,
        known_by=known_by,
        subject=str(job.purchase_id),
        step=f"return-{job.invoice_id}" + (f"-{source.number}" if source.number > 1 else ""),
    )
