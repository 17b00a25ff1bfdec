"""The subscriptions of workspaces, and the invoices that were heard of."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.domain.plan import ENDED
from purchases.store.rows import Subscription


async def of_workspace(session: AsyncSession, workspace_id: str) -> Sequence[Subscription]:
    """Every subscription that the workspace has or had, the oldest first."""
    owned = (
        select(Subscription)
        .where(Subscription.workspace_id == workspace_id)
        .order_by(Subscription.started_at, Subscription.recorded_at)
    )
    return (await session.execute(owned)).scalars().all()


async def running(session: AsyncSession, workspace_id: str) -> Subscription | None:
    """The workspace's subscription that has not ended, which keeps it from buying another one."""
    return next((one for one in await of_workspace(session, workspace_id) if one.status not in ENDED), None)
