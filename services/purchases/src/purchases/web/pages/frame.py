"""What stands around each page: the entries that somebody sees, and where one begins."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.pages import NavLink
from chassis.web.auth import Caller, Role
from purchases.web.pages.paths import billing_path, services_path
from purchases.workspaces import store as workspaces

HOME: Final = "/app"
PRICES: Final = NavLink("Prices", "/pricing")
OF_STAFF: Final = (
    NavLink("Add-ons", "/admin/addons"),
    NavLink("Purchases", "/admin/purchases"),
    NavLink("Set aside", "/admin/parked"),
)
BUYERS: Final = frozenset({Role.OWNER, Role.ADMIN})


def nav(request: Request, person: Caller | None) -> Sequence[NavLink]:
    """Return the entries: for staff their own pages, of a workspace what the role may open.

    It is the workspace of the page, or for a stranger to that the one of their own where they may do most.
    """
    if person is None:
        return (PRICES,)
    if person.is_staff:
        return (*OF_STAFF, PRICES)
    here = request.path_params.get("ws")
    return _of_workspace(person, here if here in person.workspaces else next(iter(person.by_rights()), None))


async def ways_on(request: Request, person: Caller | None) -> Sequence[NavLink]:
    """Return the entries for who is not let in: of a workspace that is known here, which a token cannot say."""
    if person is None or person.is_staff:
        return nav(request, person)
    here = request.path_params.get("ws")
    database: Database = request.app.state.database
    async with database.reading() as session:
        known = await _known(session, person)
    return _of_workspace(person, here if here in known else next(iter(known), None))


async def home(database: Database, person: Caller) -> str:
    """Return where one comes to who signed in for no page: the known workspace where they may do most."""
    if person.is_staff:
        return "/admin/purchases"
    async with database.reading() as session:
        known = await _known(session, person)
    for workspace_id in known:
        may_buy = person.role_in(workspace_id) in BUYERS
        return services_path(workspace_id) if may_buy else billing_path(workspace_id)
    return PRICES.href


async def _known(session: AsyncSession, person: Caller) -> list[str]:
    registered = await workspaces.registered(session, person.by_rights())
    return [workspace_id for workspace_id in person.by_rights() if workspace_id in registered]


def _of_workspace(person: Caller, workspace_id: str | None) -> Sequence[NavLink]:
    if workspace_id is None:
        return (PRICES,)
    services = (NavLink("Services", services_path(workspace_id)),) if person.role_in(workspace_id) in BUYERS else ()
    return (*services, NavLink("Plan and billing", billing_path(workspace_id)), _prices(person, workspace_id))


def _prices(person: Caller, workspace_id: str) -> NavLink:
    """Return the prices' entry; it leads back to this workspace where the page by itself would take another."""
    if workspace_id == person.by_rights()[0]:
        return PRICES
    return NavLink(PRICES.label, f"{PRICES.href}?{urlencode({'workspace': workspace_id})}")
