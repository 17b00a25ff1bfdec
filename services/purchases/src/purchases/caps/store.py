"""The slots that workspaces claimed. The workspace's row is locked while one is counted and taken."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.caps.rows import WorkspaceResource


async def find(
    session: AsyncSession, *, workspace_id: str, resource: str, resource_id: str
) -> WorkspaceResource | None:
    """Return the claim on this one thing."""
    return await session.get(WorkspaceResource, (workspace_id, resource, resource_id))


async def count(session: AsyncSession, *, workspace_id: str, resource: str) -> int:
    """Count the slots of `resource` that are taken."""
    taken = select(func.count()).where(
        WorkspaceResource.workspace_id == workspace_id, WorkspaceResource.resource == resource
    )
    return (await session.execute(taken)).scalar_one()


async def counts(session: AsyncSession, workspace_id: str) -> dict[str, int]:
    """Count the slots of every resource that the workspace has any of."""
    taken = (
        select(WorkspaceResource.resource, func.count())
        .where(WorkspaceResource.workspace_id == workspace_id)
        .group_by(WorkspaceResource.resource)
    )
    return dict([row.tuple() for row in await session.execute(taken)])


async def free(session: AsyncSession, *, workspace_id: str, resource: str, resource_id: str) -> bool:
    """Give the slot back; False when it was not taken."""
    freed = (
        delete(WorkspaceResource)
        .where(
            WorkspaceResource.workspace_id == workspace_id,
            WorkspaceResource.resource == resource,
            WorkspaceResource.resource_id == resource_id,
        )
        .returning(WorkspaceResource.resource_id)
    )
    return (await session.execute(freed)).first() is not None


async def page(
    session: AsyncSession, *, workspace_id: str, resource: str | None, after: tuple[str, str] | None, limit: int
) -> Sequence[WorkspaceResource]:
    """List claims behind `after`, sorted by resource and id; one more than `limit` when there is a further page."""
    place = tuple_(WorkspaceResource.resource, WorkspaceResource.resource_id)
    claimed = select(WorkspaceResource).where(WorkspaceResource.workspace_id == workspace_id).order_by(place)
    if resource is not None:
        claimed = claimed.where(WorkspaceResource.resource == resource)
    if after is not None:
        claimed = claimed.where(place > after)
    return (await session.execute(claimed.limit(limit + 1))).scalars().all()
