"""Fetch a subscription as it is, and take over those that a customer brought along."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox import parked
from chassis.process.logs import get_logger
from contracts.workspace_facts import SubscriptionParked
from purchases.batch.parking import waiting_until
from purchases.catalog_copy import plans
from purchases.jobs.kinds import AdoptSubscriptions, SyncSubscription
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Later, Result, StripeContext
from purchases.ledger.learn_ids import release_waiting
from purchases.ledger.publish import Cause, announce_of_workspace
from purchases.stripe_api.subscriptions import FetchedSubscription, fetch_subscription, subscriptions_of
from purchases.stripe_api.values import Snapshot
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.rows import Subscription
from purchases.subscriptions.rules import ENDED
from purchases.subscriptions.store_snapshot import KEPT, store_snapshot
from purchases.workspaces import store as workspaces
from purchases.workspaces.rows import Workspace

log = get_logger(__name__)

AT_ONCE = Later(timedelta(0))
UNKNOWN: Final = "Stripe does not know the subscription that an event names"
NOT_ITS: Final = "at Stripe the subscription that an event names is not this workspace's"


async def sync_subscription(context: StripeContext, task: Task[SyncSubscription]) -> Result:
    """Store what Stripe answers, and release what waits for it.

    Where Stripe does not know a subscription that we stored, the status in the job decides; one that was never stored
    gives nothing, and the facts that name it are left to staff.
    """
    job = task.job
    workspace_id = job.workspace_id
    async with context.database.reading() as session:
        prices = await plans.price_ids(session)
        known_at = _known_at(await subscriptions.find(session, job.subscription_id))
        latest_event_at = await waiting_until(session, job.subscription_id)
    seen = await fetch_subscription(context.client, job.subscription_id, instance=context.instance, prices=prices)
    async with context.database.transaction() as session:
        workspace = await workspaces.lock_workspace(session, workspace_id)
        if workspace is None:
            return DONE
        is_stored = await subscriptions.find(session, job.subscription_id) is not None
        if not is_stored and (doubt := _doubt(seen, workspace)):
            await _leave_to_staff(session, workspace, job.subscription_id, doubt)
            return DONE
        seen = replace(seen, fetched_at=_at(seen, latest_event_at)) if seen else None
        result = await apply_fetched(
            session, seen, workspace_id=workspace_id, known_at=known_at, missing=_missing_snapshot(job)
        )
        await release_waiting(session, [job.subscription_id])
        return result


def _at(seen: FetchedSubscription, latest_event_at: datetime | None) -> datetime | None:
    """Return the second that the answer holds for: what waited before the fetch is in it, and none of it is newer."""
    return max(filter(None, (seen.fetched_at, latest_event_at)), default=None)


def _doubt(seen: FetchedSubscription | None, workspace: Workspace) -> str | None:
    """Say why Stripe's answer does not make it the workspace's; None when it does: by our metadata, or our price."""
    if seen is None:
        return UNKNOWN
    is_its = seen.workspace_id == workspace.id or seen.snapshot.customer_id == workspace.stripe_customer_id
    return None if seen.is_ours and is_its else NOT_ITS


async def _leave_to_staff(session: AsyncSession, workspace: Workspace, subscription_id: str, doubt: str) -> None:
    """Park what waits for it for a person only, and mail the team; without such a fact there is no more to do."""
    await parked.lock_ids(session, [subscription_id])
    kept = await parked.leave_to_staff(session, ids=[subscription_id], reason=doubt)
    log.error("subscription_parked", subscription=subscription_id, workspace=workspace.id, why=doubt, facts=kept)
    if kept:
        cause = Cause(actor="stripe", at=datetime.now(UTC), reason=doubt)
        announce_of_workspace(
            session, workspace, SubscriptionParked, cause=cause, stripe_subscription_id=subscription_id
        )


def _missing_snapshot(job: SyncSubscription) -> Snapshot | None:
    said = job.said
    return Snapshot(subscription_id=job.subscription_id, status=said) if said else None


async def apply_fetched(
    session: AsyncSession,
    seen: FetchedSubscription | None,
    *,
    workspace_id: str,
    known_at: datetime | None,
    missing: Snapshot | None = None,
) -> Result:
    """Store the answer unless an event came meanwhile: `known_at` is the event that was known before the fetch."""
    workspace = await workspaces.lock_workspace(session, workspace_id)
    if workspace is None:
        return DONE
    snapshot = seen.snapshot if seen else missing
    row = await subscriptions.find(session, snapshot.subscription_id) if snapshot else None
    if snapshot is None or (row is not None and row.status in ENDED):
        return DONE
    if _known_at(row) != known_at:
        return AT_ONCE
    if seen is None and row is not None:
        snapshot = _as_it_was(row, snapshot.status)
    cause = Cause(actor="stripe", at=datetime.now(UTC), reason="the subscription as Stripe has it now")
    await store_snapshot(
        session, workspace, snapshot, event_at=seen.fetched_at if seen else None, event_id=None, cause=cause
    )
    return DONE


async def adopt_subscriptions(context: StripeContext, task: Task[AdoptSubscriptions]) -> Result:
    """Take over what a customer subscribed to before its workspace was registered here."""
    async with context.database.reading() as session:
        workspace = await workspaces.find(session, task.job.workspace_id)
        prices = await plans.price_ids(session)
    if workspace is None or workspace.stripe_customer_id is None:
        return DONE
    found = await subscriptions_of(
        context.client, workspace.stripe_customer_id, instance=context.instance, prices=prices
    )
    async with context.database.reading() as session:
        known = await subscriptions.workspaces_of(session, {one.snapshot.subscription_id for one in found})
    for one in found:
        if one.snapshot.subscription_id not in known:
            async with context.database.transaction() as session:
                await apply_fetched(session, one, workspace_id=task.job.workspace_id, known_at=None)
    return DONE


def _known_at(row: Subscription | None) -> datetime | None:
    return row.event_at if row else None


def _as_it_was(row: Subscription, status: str) -> Snapshot:
    known = {name: getattr(row, name) for name in KEPT}
    snapshot = Snapshot(subscription_id=row.stripe_subscription_id, status=status, schedule_id=row.stripe_schedule_id)
    return replace(snapshot, **known)
