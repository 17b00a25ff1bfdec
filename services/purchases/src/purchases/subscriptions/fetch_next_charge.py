"""What a subscription is charged next: forgotten with each change of it, and fetched from Stripe by a job."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.jobs.kinds import FetchNextCharge
from purchases.jobs.store import Task, enqueue
from purchases.jobs.stripe_context import DONE, Later, Result, StripeContext
from purchases.stripe_api.invoices import next_attempt, preview_next_charge
from purchases.stripe_api.values import Preview
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.next_charge import Terms, WhyNone, judge_preview, known_to_be_none
from purchases.subscriptions.rows import Subscription
from purchases.subscriptions.rules import OWING
from purchases.workspaces import store as workspaces

DECIDE: Final = (
    "status",
    "stripe_price_id",
    "current_period_end",
    "cancel_at_period_end",
    "cancel_at",
    "ended_at",
    "pause_behavior",
    "pause_resumes_at",
    "collection_method",
    "stripe_schedule_id",
    "latest_invoice_id",
)
"""Columns of which every change may change what is charged next."""
AT_ONCE: Final = Later(timedelta(0))


def deciding(row: Subscription) -> dict[str, Any]:
    """Return what of `row` the next charge hangs on."""
    return {column: getattr(row, column) for column in DECIDE}


async def forget_next_charge(session: AsyncSession, row: Subscription) -> None:
    """Drop what was known of it, and enqueue its fetching where the row itself does not say it."""
    why = known_to_be_none(_terms(row))
    _store(row, why, as_of=datetime.now(UTC) if why else None)
    if why is None:
        await enqueue(
            session, FetchNextCharge(subscription_id=row.stripe_subscription_id, workspace_id=row.workspace_id)
        )


async def fetch_next_charge(context: StripeContext, task: Task[FetchNextCharge]) -> Result:
    """Fetch Stripe's preview, and store it unless the subscription has changed meanwhile."""
    async with context.database.reading() as session:
        row = await subscriptions.find(session, task.job.subscription_id)
    if row is None or known_to_be_none(_terms(row)) is not None:
        return DONE
    fetched_at, before = datetime.now(UTC), deciding(row)
    preview = await _fetch_charge(context, row)
    async with context.database.transaction() as session:
        await workspaces.lock_workspace(session, row.workspace_id)
        now = await subscriptions.find(session, task.job.subscription_id)
        if now is None:
            return DONE
        if deciding(now) != before:
            return AT_ONCE
        _store(now, judge_preview(_terms(now), preview), as_of=fetched_at)
    return DONE


async def _fetch_charge(context: StripeContext, row: Subscription) -> Preview | None:
    """Fetch the next try of what is owed, else the preview: what is owed is tried before the next period is billed."""
    if row.status in OWING and row.latest_invoice_id is not None:
        again = await next_attempt(context.client, row.latest_invoice_id)
        if again is not None:
            return again
    return await preview_next_charge(context.client, row.stripe_subscription_id)


def _terms(row: Subscription) -> Terms:
    return Terms(
        status=row.status,
        ends_at=row.cancel_at or (row.current_period_end if row.cancel_at_period_end else None),
        is_paused=row.pause_behavior is not None,
        resumes_at=row.pause_resumes_at,
    )


def _store(row: Subscription, charge: Preview | WhyNone | None, *, as_of: datetime | None) -> None:
    known = charge if isinstance(charge, Preview) else None
    row.next_charge_at = known.at if known else None
    row.next_charge_cents = known.amount_cents if known else None
    row.next_charge_currency = known.currency if known else None
    row.next_charge_none = charge.value if isinstance(charge, WhyNone) else None
    row.next_charge_as_of = as_of
