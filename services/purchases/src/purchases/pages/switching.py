"""Of which workspace a page is, and the way to the same page of the others that somebody is in."""

from collections import Counter
from collections.abc import Callable, Sequence

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.auth import Caller
from chassis.pages import NavLink
from purchases.pages.frame import BUYERS
from purchases.pages.paths import billing_path, services_path
from purchases.store import workspaces
from purchases.store.rows import Workspace


async def others(
    session: AsyncSession, request: Request, workspace: Workspace, page: Callable[[str], str]
) -> Sequence[NavLink]:
    """By name, in the order of the token; where the role may not open `page`, to the plan.

    Workspaces of one name are told apart by their ids.
    """
    caller: Caller = request.state.caller
    wanted = {one: role for one, role in caller.workspaces.items() if one != workspace.id}
    names = await workspaces.names(session, wanted)
    times = Counter([workspace.name, *names.values()])
    return [
        NavLink(
            names[one] if times[names[one]] == 1 else f"{names[one]} ({one})",
            billing_path(one) if page is services_path and role not in BUYERS else page(one),
        )
        for one, role in wanted.items()
        if one in names
    ]
