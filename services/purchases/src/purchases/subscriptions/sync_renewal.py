"""A renewal that may have failed: it is announced after a look that finds it owed, and not by an event's word."""

from datetime import timedelta
from typing import Final

from purchases.batch.fetched_facts import failed_invoice_fact, received_from_stripe
from purchases.catalog_copy import plans
from purchases.jobs.kinds import SyncRenewal
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Later, Result, WorkerContext
from purchases.stripe_api.client import ObjectMissing
from purchases.stripe_api.fetch import whole_invoice
from purchases.stripe_api.reading import Fetched
from purchases.stripe_api.subscriptions import fetch_subscription
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.sync_subscription import apply_fetched
from stripe_reader.invoices import read_invoice

UNTRIED_AGAIN: Final = timedelta(minutes=10)
"""A renewal is a draft for about an hour before Stripe charges it (https://docs.stripe.com/billing/invoices/workflow)."""
UNTRIED_LOOKS: Final = 24
"""Four hours: what is a draft for longer is kept as one, and Stripe does not charge it by itself."""


async def sync_renewal(context: WorkerContext, task: Task[SyncRenewal]) -> Result:
    """Store the subscription as it is, then have the failure announced if its invoice is open and was tried in vain.

    Whether the subscription runs, and nobody was mailed before, the applier judges under the workspace's lock.
    """
    stored = await _sync_subscription(context, task.job)
    if stored is not DONE:
        return stored
    invoice = await _invoice(context, task.job.invoice_id)
    if invoice is None:
        return DONE
    said = invoice.read(read_invoice)
    if said.status in {"draft", "open"} and not said.attempt_count:
        return Later(UNTRIED_AGAIN) if task.attempts < UNTRIED_LOOKS else DONE
    if said.status == "open":
        async with context.database.transaction() as session:
            await context.apply(session, [received_from_stripe(failed_invoice_fact(invoice))])
    return DONE


async def _sync_subscription(context: WorkerContext, job: SyncRenewal) -> Result:
    async with context.database.reading() as session:
        prices = await plans.price_ids(session)
        row = await subscriptions.find(session, job.subscription_id)
        known_at = row.event_at if row else None
    seen = await fetch_subscription(context.client, job.subscription_id, instance=context.instance, prices=prices)
    async with context.database.transaction() as session:
        return await apply_fetched(session, seen, workspace_id=job.workspace_id, known_at=known_at)


async def _invoice(context: WorkerContext, invoice_id: str) -> Fetched | None:
    try:
        return await whole_invoice(context.client, invoice_id)
    except ObjectMissing:
        return None
