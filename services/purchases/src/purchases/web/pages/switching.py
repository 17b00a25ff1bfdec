"""Of which workspace a page is, and the way to the same page of the others that somebody is in."""

from collections import Counter
from collections.abc import Callable, Sequence

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.pages import NavLink
from chassis.web.auth import Caller
from purchases.web.pages.frame import BUYERS
from purchases.web.pages.paths import billing_path, services_path
from purchases.workspaces import store as workspaces
from purchases.workspaces.rows import Workspace


async def others(
    session: AsyncSession, request: Request, workspace: Workspace, page: Callable[[str], str]
) -> Sequence[NavLink]:
    """Return the ways to `page` of the caller's other workspaces."""
    return await ways_to(session, request.state.caller, page, besides=workspace.id)


async def ways_to(
    session: AsyncSession, caller: Caller, page: Callable[[str], str], *, besides: str | None = None
) -> Sequence[NavLink]:
    """Return the ways to `page` of each workspace of the caller that is known here, in the order of the token.

    They are called by the workspaces' names, those of one name also by their ids; where the role may not open `page`
    they lead to the plan.
    """
    names = await workspaces.names(session, caller.workspaces)
    times = Counter(names.values())
    return [
        NavLink(
            names[one] if times[names[one]] == 1 else f"{names[one]} ({one})",
            billing_path(one) if page is services_path and role not in BUYERS else page(one),
        )
        for one, role in caller.workspaces.items()
        if one in names and one != besides
    ]
