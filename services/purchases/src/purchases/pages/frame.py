"""What stands around each page: the entries that somebody sees, and where one begins."""

from collections.abc import Sequence
from typing import Final

from fastapi import Request

from chassis.auth import Caller, Role
from chassis.pages import NavLink
from purchases.pages.paths import billing_path, services_path

PRICES: Final = NavLink("Prices", "/pricing")
OF_STAFF: Final = (
    NavLink("Add-ons", "/admin/addons"),
    NavLink("Purchases", "/admin/purchases"),
    NavLink("Set aside", "/admin/parked"),
)
BUYERS: Final = frozenset({Role.OWNER, Role.ADMIN})


def nav(request: Request, person: Caller | None) -> Sequence[NavLink]:
    """Staff have their own pages and no workspace's; of a workspace everyone sees what the role may open.

    It is the workspace of the page, or for a stranger to that the first of their own.
    """
    if person is None:
        return (PRICES,)
    if person.is_staff:
        return (*OF_STAFF, PRICES)
    here = request.path_params.get("ws")
    workspace_id = here if here in person.workspaces else next(iter(person.workspaces), None)
    if workspace_id is None:
        return (PRICES,)
    role = person.role_in(workspace_id)
    services = (NavLink("Services", services_path(workspace_id)),) if role in BUYERS else ()
    return (*services, NavLink("Plan and billing", billing_path(workspace_id)), PRICES)


def home(person: Caller) -> str:
    """Where somebody comes to who signed in for no page in particular."""
    if person.is_staff:
        return "/admin/purchases"
    for workspace_id, role in person.workspaces.items():
        return services_path(workspace_id) if role in BUYERS else billing_path(workspace_id)
    return PRICES.href
