"""The subscriptions of workspaces, and their invoices."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, Text, any_, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.ledger.plan_rows import SubscriptionInvoice
from purchases.subscriptions.rows import Subscription
from purchases.subscriptions.rules import ENDED, UNCONFIRMED
from purchases.workspaces.rows import Workspace

EVENTS_TAKE: Final = timedelta(minutes=1)
LOOKED_FOR: Final = timedelta(days=1)


async def find(session: AsyncSession, subscription_id: str) -> Subscription | None:
    """Return the subscription as it is stored now; who changes it holds the workspace's lock."""
    return await session.get(Subscription, subscription_id, populate_existing=True)


async def of_workspace(session: AsyncSession, workspace_id: str) -> Sequence[Subscription]:
    """List every subscription that the workspace has or had, the oldest first."""
    owned = (
        select(Subscription)
        .where(Subscription.workspace_id == workspace_id)
        .order_by(Subscription.started_at, Subscription.recorded_at)
    )
    return (await session.execute(owned)).scalars().all()


async def unfinished(session: AsyncSession, workspace_id: str) -> Sequence[Subscription]:
    """List those whose first payment is not finished, as far as is known: they keep nobody from buying another one."""
    return [row for row in await of_workspace(session, workspace_id) if row.status == UNCONFIRMED]


async def not_ended(session: AsyncSession) -> dict[str, tuple[Subscription, str]]:
    """Return every subscription that is not known to have ended, with its workspace's plan, by its id."""
    known = (
        select(Subscription, Workspace.plan)
        .join(Workspace, Workspace.id == Subscription.workspace_id)
        .where(Subscription.status.not_in(ENDED))
    )
    rows = [row.tuple() for row in await session.execute(known)]
    return {row.stripe_subscription_id: (row, plan) for row, plan in rows}


async def of_ended_periods(session: AsyncSession, *, limit: int) -> dict[str, str]:
    """Return up to `limit` workspace ids by subscription, where nothing was read of it since its period ended.

    A minute after that, so that its event has had its time; and for a day, since one that Stripe does not know any
    more stays as it is.
    """
    ends = Subscription.current_period_end
    just_ended = ends.between(func.now() - LOOKED_FOR, func.now() - EVENTS_TAKE)
    unread = or_(Subscription.event_at.is_(None), Subscription.event_at < ends)
    known = (
        select(Subscription.stripe_subscription_id, Subscription.workspace_id)
        .where(Subscription.status.not_in(ENDED), just_ended, unread)
        .order_by(ends)
        .limit(limit)
    )
    return dict([row.tuple() for row in await session.execute(known)])


async def workspaces_of(session: AsyncSession, subscription_ids: Collection[str]) -> dict[str, str]:
    """Return the workspace ids by subscription."""
    if not subscription_ids:
        return {}
    known = select(Subscription.stripe_subscription_id, Subscription.workspace_id).where(
        Subscription.stripe_subscription_id == any_(cast(list(subscription_ids), ARRAY(Text)))
    )
    return dict([row.tuple() for row in await session.execute(known)])


async def keep_invoice(session: AsyncSession, values: dict[str, Any]) -> SubscriptionInvoice:
    """Store an invoice; of two events the earlier failure and the earlier payment stand."""
    statement = insert(SubscriptionInvoice).values(values)
    new, old = statement.excluded, SubscriptionInvoice
    kept = statement.on_conflict_do_update(
        index_elements=[SubscriptionInvoice.stripe_invoice_id],
        set_={
            "amount_due_cents": case((new.paid_at.is_(None), new.amount_due_cents), else_=old.amount_due_cents),
            "amount_paid_cents": func.greatest(old.amount_paid_cents, new.amount_paid_cents),
            "period_end": func.coalesce(old.period_end, new.period_end),
            "failed_at": func.least(old.failed_at, new.failed_at),
            "paid_at": func.least(old.paid_at, new.paid_at),
        },
    ).returning(SubscriptionInvoice)
    return (await session.execute(kept, execution_options={"populate_existing": True})).scalar_one()


async def find_invoice(session: AsyncSession, invoice_id: str) -> SubscriptionInvoice | None:
    """Return what is known of the invoice so far."""
    return await session.get(SubscriptionInvoice, invoice_id)


async def paid_until(session: AsyncSession, subscription_id: str, *, since: datetime | None) -> datetime | None:
    """Return the end of the period that an invoice paid for, of those that were paid at `since` or later."""
    paid = select(func.max(SubscriptionInvoice.period_end)).where(
        SubscriptionInvoice.stripe_subscription_id == subscription_id, SubscriptionInvoice.paid_at.is_not(None)
    )
    if since is not None:
        paid = paid.where(SubscriptionInvoice.paid_at >= since)
    return (await session.execute(paid)).scalar_one()
