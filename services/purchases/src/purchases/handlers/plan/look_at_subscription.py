"""Commands: ask Stripe for a subscription as it is, and take over those that a customer brought along."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.domain.stripe_values import Snapshot
from purchases.domain.subscriptions import ENDED
from purchases.handlers.plan.follow_subscription import KEPT, take_snapshot
from purchases.handlers.steps.stripe_desk import DONE, Later, Result, StripeDesk
from purchases.payments.subscriptions import Seen, look_at_subscription, subscriptions_of
from purchases.publisher import Cause
from purchases.store import plans, subscriptions, workspaces
from purchases.store.commands import Command
from purchases.store.rows import Subscription

AT_ONCE = Later(timedelta(0))


async def look(desk: StripeDesk, command: Command) -> Result:
    """What Stripe says counts. Where it does not know the subscription, the payload that made us ask decides."""
    async with desk.database.reading() as session:
        prices = await plans.price_ids(session)
        heard = _heard(await subscriptions.find(session, command.subject))
    seen = await look_at_subscription(desk.client, command.subject, instance=desk.instance, prices=prices)
    async with desk.database.transaction() as session:
        return await apply_look(
            session, seen, workspace_id=command.arguments["workspace_id"], heard=heard, missing=_said(command)
        )


def _said(command: Command) -> Snapshot | None:
    said = command.arguments.get("said")
    return Snapshot(subscription_id=command.subject, status=said) if said else None


async def apply_look(
    session: AsyncSession,
    seen: Seen | None,
    *,
    workspace_id: str,
    heard: datetime | None,
    missing: Snapshot | None = None,
) -> Result:
    """Take the answer, unless an event came while Stripe was asked: `heard` is what was known before."""
    workspace = await workspaces.lock(session, workspace_id)
    if workspace is None:
        return DONE
    snapshot = seen.snapshot if seen else missing
    row = await subscriptions.find(session, snapshot.subscription_id) if snapshot else None
    if snapshot is None or (row is not None and row.status in ENDED):
        return DONE
    if _heard(row) != heard:
        return AT_ONCE
    if seen is None and row is not None:
        snapshot = _as_it_was(row, snapshot.status)
    cause = Cause(actor="stripe", at=datetime.now(UTC), reason="the subscription as Stripe has it now")
    await take_snapshot(session, workspace, snapshot, told_at=seen.at if seen else None, told_by=None, cause=cause)
    return DONE


async def adopt(desk: StripeDesk, command: Command) -> Result:
    """A workspace was registered with a customer that Stripe has long known: what it subscribed to is ours now."""
    async with desk.database.reading() as session:
        workspace = await workspaces.find(session, command.subject)
        prices = await plans.price_ids(session)
    if workspace is None or workspace.stripe_customer_id is None:
        return DONE
    found = await subscriptions_of(desk.client, workspace.stripe_customer_id, instance=desk.instance, prices=prices)
    async with desk.database.reading() as session:
        known = await subscriptions.homes(session, {one.snapshot.subscription_id for one in found})
    for one in found:
        if one.snapshot.subscription_id not in known:
            async with desk.database.transaction() as session:
                await apply_look(session, one, workspace_id=command.subject, heard=None)
    return DONE


def _heard(row: Subscription | None) -> datetime | None:
    return row.told_at if row else None


def _as_it_was(row: Subscription, status: str) -> Snapshot:
    known = {name: getattr(row, name) for name in KEPT}
    snapshot = Snapshot(subscription_id=row.stripe_subscription_id, status=status, schedule_id=row.stripe_schedule_id)
    return replace(snapshot, **known)
