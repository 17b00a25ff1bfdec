"""Give back to a customer's balance what its credit paid, once however often it is tried."""

from typing import Final

from chassis.process.logs import get_logger
from purchases.jobs.kinds import ReturnCredit
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, StripeContext, number_tries
from purchases.ledger import store as ledger
from purchases.ledger.apply_refund import StripeRefund
from purchases.ledger.rows import Purchase, Refund
from purchases.refunds.send_refund import record_refund, record_refusal, requested_refund
from purchases.stripe_api.client import StripeRefused
from purchases.stripe_api.keys import idempotency_key, metadata_of
from purchases.stripe_api.money_back import AppliedCredit, fetch_applied_credit, fetch_given_back, give_credit
from purchases.stripe_api.reading import Fetched
from stripe_reader.customers import read_credit

log = get_logger(__name__)

MORE_THAN_PAID: Final = "more_than_the_credit_that_paid"


class MoreThanCreditPaid(Exception):  # noqa: N818 - named for what it says
    """With it more credit would have gone back than paid the invoice: a row or a transaction is not known here."""


async def return_credit(context: StripeContext, task: Task[ReturnCredit]) -> Result:
    """Find the balance transaction of the requested refund, make it if there is none, and record it.

    Refused for good it has failed: the team is mailed its amount, and it counts no longer. Raises OutcomeUnknown.
    """
    job = task.job
    async with context.database.reading() as session:
        purchase = await ledger.find(session, job.purchase_id)
    refund = requested_refund(purchase, job)
    if purchase is None or refund is None:
        return DONE
    try:
        made = await _give_back(context, task, purchase, refund)
    except (StripeRefused, MoreThanCreditPaid) as error:
        await _record_refusal(context, job, error)
    else:
        await _record(context, job, made)
    return DONE


async def _give_back(context: StripeContext, task: Task[ReturnCredit], purchase: Purchase, refund: Refund) -> Fetched:
    """Return the transaction that an earlier try made, or a new one. Raises StripeRefused, MoreThanCreditPaid."""
    invoice_id = task.job.invoice_id
    applied = await fetch_applied_credit(context.client, invoice_id)
    of_invoice = {"quittance_instance": context.instance, "invoice_id": invoice_id}
    given = await fetch_given_back(context.client, customer_id=applied.customer_id, known_by=of_invoice)
    of_refund = {"refund_id": str(refund.id)}
    made = next((credit for credit in given if credit.has_metadata(of_refund)), None)
    if made is not None:
        return made
    gone = sum(credit.read(read_credit).cents for credit in given)
    if gone + refund.refund_cents > applied.cents:
        raise MoreThanCreditPaid(f"credit paid {applied.cents} of {invoice_id}, {gone} of that was given back before")
    metadata = metadata_of(ledger.sale_of(purchase), instance=context.instance) | of_invoice | of_refund
    return await _make(context, task, refund, applied, metadata)


async def _make(
    context: StripeContext, task: Task[ReturnCredit], refund: Refund, applied: AppliedCredit, metadata: dict[str, str]
) -> Fetched:
    credit = give_credit(
        context.client,
        customer_id=applied.customer_id,
        amount=refund.refund_cents,
        currency=applied.currency,
        metadata=metadata,
        idempotency_key=idempotency_key(context.instance, refund.id, "credit", task.job.attempt),
    )
    return await number_tries(context, task, credit)


async def _record(context: StripeContext, job: ReturnCredit, made: Fetched) -> None:
    credit = made.read(read_credit)
    seen = StripeRefund(
        refund_id=credit.transaction_id,
        refund_cents=credit.cents,
        currency=credit.currency,
        status="succeeded",
        kind="credit",
        purchase_id=str(job.purchase_id),
        requested_id=str(job.refund_id),
    )
    await record_refund(context, job, seen, actor="quittance", reason="what credit had paid")


async def _record_refusal(context: StripeContext, job: ReturnCredit, error: StripeRefused | MoreThanCreditPaid) -> None:
    reason = MORE_THAN_PAID if isinstance(error, MoreThanCreditPaid) else error.code or "stripe_refused"
    log.error("credit_refused", refund=str(job.refund_id), purchase=str(job.purchase_id), reason=str(error))
    await record_refusal(context, job, failure_reason=reason, error=error)
