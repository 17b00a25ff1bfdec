"""Make a refund that staff requested, once however often it is tried."""

from datetime import timedelta
from typing import Final

from chassis.process.logs import get_logger
from purchases.jobs.kinds import MakeRefund
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Later, Result, StripeContext
from purchases.ledger import store as ledger
from purchases.ledger.rows import Purchase, Refund
from purchases.refunds.events import refund_of_object
from purchases.refunds.send_refund import (
    NothingToReturn,
    OutgoingRefund,
    learn_sources,
    record_refund,
    record_refusal,
    requested_refund,
    send_refund,
    sources_of,
)
from purchases.refunds.split_refund import split_over_charges
from purchases.stripe_api.client import StripeRefused
from purchases.stripe_api.keys import metadata_of
from purchases.stripe_api.money_back import ChargeIds, find_refund
from purchases.stripe_api.reading import Fetched

log = get_logger(__name__)

AT_ONCE: Final = Later(timedelta(0))
"""More is known of the payment's charges than when it was requested."""


async def make_refund(context: StripeContext, task: Task[MakeRefund]) -> Result:
    """Make it at Stripe and record the answer; refused for good, the refund has failed and its money is free again.

    Raises OutcomeUnknown.
    """
    job = task.job
    async with context.database.reading() as session:
        purchase = await ledger.find(session, job.purchase_id)
    refund = requested_refund(purchase, job)
    if purchase is None or refund is None:
        return DONE
    try:
        sources = await sources_of(context, job)
        charges = {source.number: source.charge for source in sources}
        if len(sources) > 1 and refund.charge_number not in charges:
            await _split(context, job)
            return AT_ONCE
        charge = charges.get(refund.charge_number or 0, sources[0].charge)
        outgoing = _outgoing(context, purchase, refund, charge)
        answer = await _send(context, task, outgoing)
    except (StripeRefused, NothingToReturn) as error:
        if isinstance(error, StripeRefused) and await learn_sources(context, job):
            return AT_ONCE
        await _record_refusal(context, job, error)
    else:
        await record_refund(context, job, refund_of_object(answer), actor="stripe")
    return DONE


async def _split(context: StripeContext, job: MakeRefund) -> None:
    """Split a refund that was requested before it was known which charges paid: each gives back its own."""
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, job.purchase_id)
        refund = requested_refund(purchase, job)
        if purchase is not None and refund is not None:
            await split_over_charges(session, purchase=purchase, refund=refund)


async def _send(context: StripeContext, task: Task[MakeRefund], outgoing: OutgoingRefund) -> Fetched:
    """Send it; refused, find the one that a try whose answer was lost has made all the same. Raises StripeRefused."""
    try:
        return await send_refund(context, task, outgoing)
    except StripeRefused:
        made = await find_refund(context.client, charge=outgoing.charge, known_by=outgoing.known_by)
        if made is None:
            raise
        return made


async def _record_refusal(context: StripeContext, job: MakeRefund, error: StripeRefused | NothingToReturn) -> None:
    reason = "paid_without_a_payment" if isinstance(error, NothingToReturn) else error.code or "stripe_refused"
    log.error("refund_refused", refund=str(job.refund_id), purchase=str(job.purchase_id), reason=str(error))
    await record_refusal(context, job, failure_reason=reason, error=error)


def _outgoing(context: StripeContext, purchase: Purchase, refund: Refund, charge: ChargeIds) -> OutgoingRefund:
    known_by = {"quittance_instance": context.instance, "refund_id": str(refund.id)}
    return OutgoingRefund(
        charge=charge,
        amount=refund.refund_cents,
        metadata=metadata_of(ledger.sale_of(purchase), instance=context.instance) | known_by,
        known_by=known_by,
        subject=str(refund.id),
        step="refund" if (refund.charge_number or 1) == 1 else f"refund-{refund.charge_number}",
    )
