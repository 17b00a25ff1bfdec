"""What stands around the catalog's pages: the same entries as around those of purchases, which share the origin."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from fastapi import Request

from chassis.auth import Caller, Role
from chassis.pages import NavLink

PRICES: Final = NavLink("Prices", "/pricing")
OF_STAFF: Final = (
    NavLink("Add-ons", "/admin/addons"),
    NavLink("Purchases", "/admin/purchases"),
    NavLink("Set aside", "/admin/parked"),
)
BUYERS: Final = frozenset({Role.OWNER, Role.ADMIN})


def nav(_: Request, person: Caller | None) -> Sequence[NavLink]:
    """Staff have their own pages; of somebody's first workspace what the role may open. A test compares both navs."""
    if person is not None and person.is_staff:
        return (*OF_STAFF, PRICES)
    return (*of_workspace(person), PRICES)


def of_workspace(person: Caller | None) -> Sequence[NavLink]:
    """Nothing for nobody, for staff, and for who is in no workspace."""
    if person is None or person.is_staff:
        return ()
    for workspace_id, role in person.workspaces.items():
        path = f"/app/{quote(workspace_id, safe='')}"
        services = (NavLink("Services", f"{path}/billing/addons"),) if role in BUYERS else ()
        return (*services, NavLink("Plan and billing", f"{path}/settings/billing"))
    return ()
