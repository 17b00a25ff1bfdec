"""Read an invoice that says of itself that it paid a purchase, before anything is given for it."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.process.logs import get_logger
from purchases.batch.fetched_facts import invoice_fact, received_from_stripe
from purchases.jobs.kinds import SyncInvoice, SyncPayment
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, WorkerContext
from purchases.ledger import store as ledger
from purchases.ledger.apply_payment import has_payment
from purchases.ledger.park_payment import park_payment
from purchases.ledger.publish import Cause
from purchases.stripe_api.client import ObjectMissing
from purchases.stripe_api.fetch import whole_invoice
from purchases.stripe_api.reading import Fetched
from stripe_reader.invoices import read_invoice_status

log = get_logger(__name__)

UNKNOWN: Final = "Stripe does not know the invoice that is said to have paid it"


async def sync_invoice(context: WorkerContext, task: Task[SyncInvoice]) -> Result:
    """Apply the invoice as Stripe has it, if it is paid there; one that Stripe does not know pays nothing.

    Raises OutcomeUnknown while Stripe does not answer: nothing has moved, and the look is repeated.
    """
    job = task.job
    invoice = await _invoice(context, job.invoice_id)
    if invoice is not None and (status := invoice.read(read_invoice_status)) != "paid":
        log.warning("not_paid_at_stripe", invoice=job.invoice_id, status=status)
        return DONE
    fact = invoice_fact(invoice) if invoice is not None else None
    async with context.database.transaction() as session:
        if fact is None:
            await _pay_nothing(session, job)
        else:
            await context.apply(session, [received_from_stripe(fact)])
    return DONE


async def sync_payment(context: WorkerContext, task: Task[SyncPayment]) -> Result:
    """Read what paid an invoice whose event did not say: charges, credit, or somebody outside of Stripe.

    Where another event has said so meanwhile, nothing is left to ask.
    """
    async with context.database.reading() as session:
        found = [await ledger.find(session, one) for one in task.job.purchase_ids]
    payments = [payment for purchase in found if purchase is not None for payment in purchase.payments]
    if all(payment.is_explained for payment in payments if payment.stripe_invoice_id == task.job.invoice_id):
        return DONE
    return await sync_invoice(context, task)


async def _invoice(context: WorkerContext, invoice_id: str) -> Fetched | None:
    try:
        return await whole_invoice(context.client, invoice_id)
    except ObjectMissing:
        return None


async def _pay_nothing(session: AsyncSession, job: SyncInvoice) -> None:
    """Park it for each purchase that it named, and have the team mailed."""
    cause = Cause(actor="stripe", at=datetime.now(UTC), reason=UNKNOWN)
    locked = await ledger.lock_purchases(session, job.purchase_ids)
    for purchase in locked.values():
        if not has_payment(purchase, job.invoice_id):
            await park_payment(
                session,
                purchase=purchase,
                invoice_id=job.invoice_id,
                paid_cents=job.amount_paid,
                currency=job.currency.upper(),
                cause=cause,
            )
