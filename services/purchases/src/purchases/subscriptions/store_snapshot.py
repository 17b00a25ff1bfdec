"""The one place where a subscription's row, and with it the workspace's plan, changes: row and facts together."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import workspace_facts as facts
from purchases.jobs.kinds import CompareSubscriptions, SyncRenewal, SyncSubscription
from purchases.jobs.store import enqueue
from purchases.ledger.publish import Cause, announce_of_workspace
from purchases.stripe_api.values import Snapshot
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.fetch_next_charge import deciding, forget_next_charge
from purchases.subscriptions.plan import BUILDER, plan_of
from purchases.subscriptions.rows import Subscription
from purchases.subscriptions.rules import ENDED, OWING, News, judge_news, status_now
from purchases.workspaces.rows import Workspace

KEPT: Final = (
    "cancel_at_period_end",
    "cancel_at",
    "canceled_at",
    "ended_at",
    "latest_invoice_id",
    "pause_behavior",
    "pause_resumes_at",
)
"""Columns that are as the snapshot has them, also where it has nothing."""
FILLED: Final = (
    "interval",
    "currency",
    "started_at",
    "current_period_end",
    "default_payment_method_id",
    "collection_method",
)
"""Columns that a snapshot without them leaves as they are."""
ANNOUNCED: Final = (
    "status",
    "interval",
    "currency",
    "current_period_end",
    "cancel_at_period_end",
    "cancel_at",
    "ended_at",
)
"""Columns of which every change is a fact."""


async def apply_subscription_event(
    session: AsyncSession, workspace: Workspace, snapshot: Snapshot, *, event_at: datetime, event_id: str, cause: Cause
) -> News:
    """Take what an event showed of the locked workspace's subscription, unless something newer is known."""
    row = await subscriptions.find(session, snapshot.subscription_id)
    if row is not None and row.event_id == event_id:
        return News.STALE
    news = News.TAKE
    if row is not None:
        news = judge_news(status=row.status, event_at=row.event_at, new_status=snapshot.status, new_at=event_at)
    if news is News.FETCH:
        await enqueue_sync(session, snapshot.subscription_id, workspace.id)
    if news is News.TAKE:
        await store_snapshot(session, workspace, snapshot, event_at=event_at, event_id=event_id, cause=cause)
    return news


async def store_snapshot(
    session: AsyncSession,
    workspace: Workspace,
    snapshot: Snapshot,
    *,
    event_at: datetime | None,
    event_id: str | None,
    cause: Cause,
) -> None:
    """Store how the subscription is and announce what is new; what was fetched, without `event_id`, keeps the last."""
    row = await _row(session, workspace, snapshot.subscription_id)
    before = _last_announced(row)
    if row.event_at is None or (event_at is not None and event_at >= row.event_at) or snapshot.status in ENDED:
        row.event_at, row.event_id = event_at or row.event_at, event_id or row.event_id
    row.status = status_now(status=snapshot.status, event_at=row.event_at, confirmed_at=row.confirmed_at)
    for column in ("price_id", "customer_id"):
        setattr(row, f"stripe_{column}", getattr(snapshot, column) or getattr(row, f"stripe_{column}"))
    for column in KEPT:
        setattr(row, column, getattr(snapshot, column))
    row.stripe_schedule_id = snapshot.schedule_id
    for column in FILLED:
        setattr(row, column, getattr(snapshot, column) or getattr(row, column))
    await _extend(session, row)
    await _publish_changes(session, workspace, row, before, cause)


async def confirm(
    session: AsyncSession, workspace: Workspace, subscription_id: str, *, at: datetime, cause: Cause
) -> None:
    """Store that it was active at `at`, by a Checkout that completed or a first invoice that was paid."""
    row = await _row(session, workspace, subscription_id)
    before = _last_announced(row)
    row.confirmed_at = max(row.confirmed_at or at, at)
    if row.status not in ENDED:
        row.status = status_now(status=row.status, event_at=row.event_at, confirmed_at=row.confirmed_at)
    await _extend(session, row)
    await _publish_changes(session, workspace, row, before, cause)


async def extend(session: AsyncSession, workspace: Workspace, row: Subscription, *, cause: Cause) -> None:
    """Extend the period after an invoice was paid: it may go on longer than the last snapshot knew."""
    before = _last_announced(row)
    await _extend(session, row)
    await _publish_changes(session, workspace, row, before, cause)


async def enqueue_sync(session: AsyncSession, subscription_id: str, workspace_id: str, said: str | None = None) -> None:
    """Enqueue a fetch of the subscription as it is, after the commit."""
    await enqueue(session, SyncSubscription(subscription_id=subscription_id, workspace_id=workspace_id, said=said))


async def enqueue_renewal_sync(session: AsyncSession, row: Subscription, invoice_id: str) -> None:
    """Enqueue a look at a renewal that may have failed, after the commit."""
    await enqueue(
        session,
        SyncRenewal(invoice_id=invoice_id, subscription_id=row.stripe_subscription_id, workspace_id=row.workspace_id),
    )


async def _row(session: AsyncSession, workspace: Workspace, subscription_id: str) -> Subscription:
    row = await subscriptions.find(session, subscription_id)
    if row is None:
        row = Subscription(
            stripe_subscription_id=subscription_id,
            workspace_id=workspace.id,
            status="incomplete",
            is_extra=False,
            cancel_at_period_end=False,
        )
        session.add(row)
    return row


def _last_announced(row: Subscription) -> Mapping[str, Any] | None:
    """Return what was announced of it last; None for a row that is new."""
    return _announced(row) | deciding(row) if row.recorded_at is not None else None


def _owes(row: Subscription) -> dict[str, Any]:
    return {"status": row.status, "latest_invoice_id": row.latest_invoice_id}


def _announced(row: Subscription) -> dict[str, Any]:
    return {column: getattr(row, column) for column in ANNOUNCED}


async def _extend(session: AsyncSession, row: Subscription) -> None:
    if row.status in ENDED:
        return
    until = await subscriptions.paid_until(session, row.stripe_subscription_id, since=row.event_at)
    if until is not None and (row.current_period_end is None or until > row.current_period_end):
        row.current_period_end = until


async def _publish_changes(
    session: AsyncSession, workspace: Workspace, row: Subscription, before: Mapping[str, Any] | None, cause: Cause
) -> None:
    row.updated_at = cause.at
    await session.flush()
    owned = await subscriptions.of_workspace(session, workspace.id)
    plan, previous = plan_of(other.status for other in owned), workspace.plan
    if plan != previous:
        workspace.plan = plan
        paid_by = row.stripe_subscription_id if plan == BUILDER else None
        details = {"previous_plan": previous, "stripe_subscription_id": paid_by}
        announce_of_workspace(session, workspace, facts.WorkspacePlanChanged, cause=cause, **details)
    news = before is None or not _announced(row).items() <= before.items()
    if news:
        _announce_status(session, workspace, row, before, cause)
    if before is None or not deciding(row).items() <= before.items():
        await forget_next_charge(session, row)
    if row.status in OWING and row.latest_invoice_id and (before is None or not _owes(row).items() <= before.items()):
        await enqueue_renewal_sync(session, row, row.latest_invoice_id)
    if news and sum(other.status not in ENDED for other in owned) > 1:
        # Only where something changed: the comparison itself comes here with what it fetched.
        await enqueue(session, CompareSubscriptions(workspace_id=workspace.id))


def _announce_status(
    session: AsyncSession, workspace: Workspace, row: Subscription, before: Mapping[str, Any] | None, cause: Cause
) -> None:
    planned = row.cancel_at or (row.current_period_end if row.cancel_at_period_end else None)
    announce_of_workspace(
        session,
        workspace,
        facts.SubscriptionStatusChanged,
        cause=cause,
        stripe_subscription_id=row.stripe_subscription_id,
        status=row.status,
        previous_status=before["status"] if before else None,
        interval=row.interval,
        currency=row.currency,
        current_period_end=row.current_period_end,
        ends_at=row.ended_at or planned,
    )
