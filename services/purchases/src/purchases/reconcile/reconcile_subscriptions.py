"""The subscriptions that run at Stripe, compared with those that are stored."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from chassis.process.logs import get_logger
from purchases.catalog_copy import plans
from purchases.jobs.kinds import ReconcilePeriods, ReconcileSubscription, ReconcileSubscriptions
from purchases.jobs.store import Task, enqueue
from purchases.jobs.stripe_context import DONE, Later, Result, StripeContext
from purchases.reconcile.missed import note_missed
from purchases.stripe_api.client import StripeRefused, UnknownShape
from purchases.stripe_api.subscriptions import FetchedSubscription, fetch_subscription, running_at
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.plan import BUILDER, GRANTING
from purchases.subscriptions.rows import Subscription
from purchases.subscriptions.rules import status_now
from purchases.subscriptions.store_snapshot import enqueue_sync
from purchases.subscriptions.sync_subscription import apply_fetched
from purchases.workspaces import store as workspaces

log = get_logger(__name__)

EVERY: Final = timedelta(minutes=10)
EVERY_MINUTE: Final = timedelta(minutes=1)
EVENTS_TAKE: Final = timedelta(minutes=1)
A_TURN: Final = 25
"""Subscriptions whose period ended, fetched in one turn: thousands may renew at the same moment."""
COMPARED: Final = ("price_id", "cancel_at_period_end", "cancel_at", "current_period_end")
Homes = Mapping[str, str]
"""By subscription: the workspace."""


async def reconcile_running(context: StripeContext, _: Task[ReconcileSubscriptions]) -> Result:
    """Compare them all, and enqueue a fetch of each that differs for when its event has had its time."""
    different = await _doubtful(context)
    async with context.database.transaction() as session:
        jobs = [ReconcileSubscription(subscription_id=one, workspace_id=home) for one, home in different.items()]
        await enqueue(session, *jobs, after=EVENTS_TAKE)
    return Later(EVERY)


async def reconcile_one(context: StripeContext, task: Task[ReconcileSubscription]) -> Result:
    """Take what Stripe answers of one that differed."""
    await take_subscription(context, task.job.subscription_id, task.job.workspace_id)
    return DONE


async def reconcile_periods(context: StripeContext, _: Task[ReconcilePeriods]) -> Result:
    """Fetch each whose period has just ended: renewed, owed or over, and its event may be lost."""
    async with context.database.reading() as session:
        ended = await subscriptions.of_ended_periods(session, limit=A_TURN)
    for subscription_id, workspace_id in ended.items():
        try:
            await take_subscription(context, subscription_id, workspace_id)
        except (UnknownShape, StripeRefused) as error:  # `reconcile_running` has a job of its own for it
            log.warning("subscription_not_read", subscription=subscription_id, error=repr(error)[:300])
    async with context.database.reading() as session:
        left = await subscriptions.of_ended_periods(session, limit=A_TURN)
    # Those that stay the same, since Stripe does not know them any more, are no reason to ask without a pause.
    return Later(timedelta(0) if len(left) == A_TURN and left.keys() != ended.keys() else EVERY_MINUTE)


async def reconcile_subscriptions(context: StripeContext) -> int:
    """Ask Stripe for each that is stored otherwise, or not at all, and take the answer; how many had changed unheard.

    Lists show what runs, by what the plan costs and what is paid still: what is on no list is asked for by its id.
    """
    missed = 0
    for subscription_id, workspace_id in (await _doubtful(context)).items():
        missed += await take_subscription(context, subscription_id, workspace_id)
    log.info("swept_subscriptions", missed=missed)
    return missed


async def _doubtful(context: StripeContext) -> Homes:
    async with context.database.reading() as session:
        prices = await plans.price_ids(session)
        stored = await subscriptions.not_ended(session)
    doubtful = {one: row.workspace_id for one, (row, _) in stored.items()}
    strange: list[FetchedSubscription] = []
    still_paid = {row.stripe_price_id for row, _ in stored.values() if row.stripe_price_id}
    for price in sorted(prices | still_paid):
        async for seen in running_at(context.client, price, instance=context.instance, prices=prices):
            known = stored.get(seen.snapshot.subscription_id)
            if known is None:
                strange.append(seen)
            elif _agrees(*known, seen):
                doubtful.pop(seen.snapshot.subscription_id, None)
    return {**doubtful, **await _workspaces(context, strange)}


def _agrees(row: Subscription, plan: str, seen: FetchedSubscription) -> bool:
    snapshot = seen.snapshot
    status = status_now(status=snapshot.status, event_at=row.event_at, confirmed_at=row.confirmed_at)
    kept = {"price_id": row.stripe_price_id} | {name: getattr(row, name) for name in COMPARED[1:]}
    granted = plan == BUILDER or row.status not in GRANTING
    return granted and status == row.status and kept == {name: getattr(snapshot, name) for name in COMPARED}


async def _workspaces(context: StripeContext, strange: list[FetchedSubscription]) -> Homes:
    """Return whose those are that were never stored: a registered workspace's by our metadata, else by its customer."""
    ours = [one for one in strange if one.is_ours]
    async with context.database.reading() as session:
        ended = await subscriptions.workspaces_of(session, {one.snapshot.subscription_id for one in ours})
        named = await workspaces.registered(session, {one.workspace_id for one in ours if one.workspace_id})
        customers = await workspaces.by_customer(session, {str(one.snapshot.customer_id) for one in ours})
    found = {
        one.snapshot.subscription_id: one.workspace_id
        if one.workspace_id in named
        else customers.get(str(one.snapshot.customer_id))
        for one in ours
    }
    return {one: home for one, home in found.items() if home is not None and one not in ended}


async def take_subscription(context: StripeContext, subscription_id: str, workspace_id: str) -> bool:
    """Apply it as an event would be; return whether it was news."""
    async with context.database.reading() as session:
        prices = await plans.price_ids(session)
        row = await subscriptions.find(session, subscription_id)
        known_at = row.event_at if row else None
    seen = await fetch_subscription(context.client, subscription_id, instance=context.instance, prices=prices)
    async with context.database.transaction() as session:
        workspace = await workspaces.lock_workspace(session, workspace_id)
        before = workspace.sequence if workspace else 0
        result = await apply_fetched(session, seen, workspace_id=workspace_id, known_at=known_at)
        if isinstance(result, Later):
            await enqueue_sync(session, subscription_id, workspace_id)
        snapshot = workspace is not None and workspace.sequence > before
    if snapshot:
        note_missed("subscription", subscription_id)
    return snapshot
