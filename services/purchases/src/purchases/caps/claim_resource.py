"""The caps hold: a slot is claimed before the host product creates a resource, and freed after it was deleted."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.problems import Problem
from purchases.caps import store as resources
from purchases.caps.rows import WorkspaceResource
from purchases.catalog_copy import plans
from purchases.catalog_copy.rows import Plan
from purchases.subscriptions.plan import Usage, caps_of
from purchases.workspaces import store as workspaces
from purchases.workspaces.problems import workspace_not_found
from purchases.workspaces.rows import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """A slot to claim; `imported` counts it even over the cap."""

    workspace_id: str
    resource: str
    resource_id: str
    imported: bool = False
    bound: int = 10_000
    """As many slots of one resource a workspace may have where the plan has no cap, or it imports over the cap."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The slot; `is_new` False when it was claimed before."""

    slot: WorkspaceResource
    is_new: bool


async def claim_resource(*, database: Database, request: ClaimRequest) -> Claim:
    """Claim a slot. Claims and changes of plan take turns at the workspace's row; what needs no slot does not queue.

    Raises Problem 404 for a workspace or resource that nobody knows, 403 `LIMIT_REACHED` when the cap is reached.
    """
    async with database.reading() as session:
        slot = await _find_claim(session, await workspaces.find(session, request.workspace_id), request)
    if slot is not None:
        return Claim(slot, is_new=False)
    async with database.transaction() as session:
        workspace = await workspaces.lock_workspace(session, request.workspace_id)
        slot = await _find_claim(session, workspace, request)
        return Claim(slot, is_new=False) if slot else Claim(_claim(session, request), is_new=True)


async def _find_claim(
    session: AsyncSession, workspace: Workspace | None, request: ClaimRequest
) -> WorkspaceResource | None:
    """Return the slot as it was claimed before; None when it can be claimed now. Raises Problem 403 or 404."""
    if workspace is None:
        raise workspace_not_found()
    cap = await _cap(session, workspace.plan, request.resource)
    place = {"workspace_id": request.workspace_id, "resource": request.resource}
    slot = await resources.find(session, **place, resource_id=request.resource_id)
    if slot is not None:
        return slot
    limit = request.bound if request.imported or cap is None else cap
    usage = Usage(resource=request.resource, used=await resources.count(session, **place), limit=limit)
    if usage.full:
        raise limit_reached(usage)
    return None


def _claim(session: AsyncSession, request: ClaimRequest) -> WorkspaceResource:
    slot = WorkspaceResource(
        workspace_id=request.workspace_id,
        resource=request.resource,
        resource_id=request.resource_id,
        imported=request.imported,
        claimed_at=datetime.now(UTC),
    )
    session.add(slot)
    return slot


async def free_resource(*, session: AsyncSession, workspace_id: str, resource: str, resource_id: str) -> None:
    """Give the slot back; one that is not taken is free already. Raises Problem 404 for an unknown resource."""
    workspace = await workspaces.lock_workspace(session, workspace_id)
    if workspace is None:
        raise workspace_not_found()
    freed = await resources.free(session, workspace_id=workspace_id, resource=resource, resource_id=resource_id)
    if not freed:
        await _cap(session, workspace.plan, resource)


async def known_plans(session: AsyncSession, plan: str) -> dict[str, Plan]:
    """Return every plan by its slug. Raises Problem 503 before the catalog has published `plan`."""
    known = {row.slug: row for row in await plans.known(session)}
    if plan not in known:
        raise plan_not_known()
    return known


async def _cap(session: AsyncSession, plan: str, resource: str) -> int | None:
    """Return the plan's cap; None: no cap. Raises Problem 404 when no plan names `resource`."""
    known = await known_plans(session, plan)
    caps = caps_of(plan, plans={slug: row.caps for slug, row in known.items()})
    if resource not in caps:
        raise resource_not_found(resource)
    return caps[resource]


def limit_reached(usage: Usage) -> Problem:
    """Return a 403: the plan allows no more. Nothing is deleted by us: the count must come down, or the plan go up."""
    return Problem(
        403,
        "LIMIT_REACHED",
        "The plan's limit is reached",
        f"The plan allows {usage.limit} of {usage.resource}, and {usage.used} are in use.",
        resource=usage.resource,
        limit=usage.limit,
        used=usage.used,
    )


def resource_not_found(resource: str) -> Problem:
    """Return a 404: no plan names it."""
    return Problem(404, "resource-not-found", "No plan has such a resource", resource=resource)


def plan_not_known() -> Problem:
    """Return a 503: the catalog has not published the workspace's plan yet, just after the first start."""
    return Problem(503, "plan-not-known", "The plans are not known yet", retry_after=5)
