"""Who may come in: the caller's standing in the workspace of the path."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from chassis.database.database import Database
from chassis.web.auth import Caller, CurrentCaller, forbidden, require_scope, require_staff
from purchases.web.responses import ONLY_BUYERS, ONLY_CLAIMERS, ONLY_THE_OWNER
from purchases.web.rights import Standing, standing
from purchases.workspaces import store as workspaces
from purchases.workspaces.problems import workspace_not_found
from purchases.workspaces.rows import Workspace

WorkspaceId = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@|-]*$")]


async def database_of(request: Request) -> Database:
    """Return the service's database, as `main` built it."""
    database: Database = request.app.state.database
    return database


AtDatabase = Annotated[Database, Depends(database_of)]


async def _known(ws: str, caller: Caller, database: Database) -> tuple[Workspace | None, Standing]:
    """Return the workspace, None where it is not registered, and what the caller is to it."""
    async with database.reading() as session:
        workspace = await workspaces.find(session, ws)
    owner_id = workspace.owner_user_id if workspace else ""
    role = caller.role_in(ws)
    return workspace, standing(role=role, subject=caller.subject, owner_id=owner_id, is_staff=caller.is_staff)


async def buyer(ws: WorkspaceId, caller: CurrentCaller, database: AtDatabase) -> Workspace:
    """Return the workspace of its owner or admin. Raises 404 for a stranger, 403 for everyone else."""
    workspace, known = await _known(ws, caller, database)
    if known in {Standing.STAFF, Standing.EDITOR, Standing.READER}:
        raise forbidden(ONLY_BUYERS)
    if workspace is None or known is Standing.STRANGER:
        raise workspace_not_found()
    return workspace


Buyer = Annotated[Workspace, Depends(buyer)]


async def owner(ws: WorkspaceId, caller: CurrentCaller, database: AtDatabase) -> Workspace:
    """Return the registered owner's workspace. Raises 404 for a stranger, 403 for others, also who claims to own it."""
    workspace, known = await _known(ws, caller, database)
    if known not in {Standing.OWNER, Standing.STRANGER}:
        raise forbidden(ONLY_THE_OWNER)
    if workspace is None or known is Standing.STRANGER:
        raise workspace_not_found()
    return workspace


Owner = Annotated[Workspace, Depends(owner)]


async def member(ws: WorkspaceId, caller: CurrentCaller, database: AtDatabase) -> Workspace:
    """Return the workspace of one of its members, or of platform staff. Raises 404 for a stranger."""
    async with database.reading() as session:
        workspace = await workspaces.find(session, ws)
    if workspace is None or (caller.role_in(ws) is None and not caller.is_staff):
        raise workspace_not_found()
    return workspace


Member = Annotated[Workspace, Depends(member)]


@dataclass(frozen=True, slots=True)
class Claimer:
    """Who claims and frees slots of a workspace; only the host product imports."""

    workspace_id: str
    may_import: bool


async def claimer(ws: WorkspaceId, caller: CurrentCaller, database: AtDatabase) -> Claimer:
    """Return the host product, or an owner, admin or editor. Raises 404 for a stranger, 403 for viewers and staff."""
    workspace, known = await _known(ws, caller, database)
    by_scope = caller.has_scope("resources:write")
    if not by_scope and known in {Standing.STAFF, Standing.READER}:
        raise forbidden(ONLY_CLAIMERS)
    if workspace is None or (not by_scope and known is Standing.STRANGER):
        raise workspace_not_found()
    return Claimer(ws, may_import=by_scope)


Claiming = Annotated[Claimer, Depends(claimer)]


async def staff(caller: CurrentCaller) -> Caller:
    """Return who asks of platform staff. Raises 403."""
    require_staff(caller)
    return caller


Staff = Annotated[Caller, Depends(staff)]


async def staff_actor(caller: Staff) -> str:
    """Return who of platform staff asks, as histories name one. Raises 403."""
    return f"staff:{caller.subject}"


ByStaff = Annotated[str, Depends(staff_actor)]


async def host_product(caller: CurrentCaller) -> Caller:
    """Return the host product. Raises 403 without the scope."""
    require_scope(caller, "workspaces:write")
    return caller


HostProduct = Annotated[Caller, Depends(host_product)]
