"""Of which workspace a page is, and the way to the same page of the others that somebody is in."""

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.pages import NavLink
from chassis.web.auth import Caller
from purchases.web.pages.frame import BUYERS
from purchases.web.pages.paths import billing_path, services_path
from purchases.web.pages.visit import WorkspaceVisit
from purchases.workspaces import store as workspaces


async def others(session: AsyncSession, visit: WorkspaceVisit, page: Callable[[str], str]) -> Sequence[NavLink]:
    """Return the ways to `page` of the caller's other workspaces."""
    return await ways_to(session, visit.caller, page, excluding=visit.workspace.id)


async def ways_to(
    session: AsyncSession, caller: Caller, page: Callable[[str], str], *, excluding: str | None = None
) -> Sequence[NavLink]:
    """Return the ways to `page` of each workspace of the caller that is known here, in the order of the token.

    They are called by the workspaces' names, those of one name also by their ids; where the role may not open `page`
    they lead to the plan.
    """
    names = await workspaces.names(session, caller.workspaces)
    times = Counter(names.values())
    return [
        NavLink(
            names[workspace_id] if times[names[workspace_id]] == 1 else f"{names[workspace_id]} ({workspace_id})",
            billing_path(workspace_id) if page is services_path and role not in BUYERS else page(workspace_id),
        )
        for workspace_id, role in caller.workspaces.items()
        if workspace_id in names and workspace_id != excluding
    ]
