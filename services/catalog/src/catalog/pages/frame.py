"""What stands around the catalog's pages: entries as in purchases, which share the origin, and problems' words."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request

from chassis.pages import NavLink, Words
from chassis.web.auth import Caller, Role

PRICES: Final = NavLink("Prices", "/pricing")
OF_STAFF: Final = (
    NavLink("Add-ons", "/admin/addons"),
    NavLink("Purchases", "/admin/purchases"),
    NavLink("Set aside", "/admin/parked"),
)
BUYERS: Final = frozenset({Role.OWNER, Role.ADMIN})


def nav(request: Request, person: Caller | None) -> Sequence[NavLink]:
    """Return staff's own pages, or those of a workspace that the role may open. A test compares both navs."""
    if person is not None and person.is_staff:
        return (*OF_STAFF, PRICES)
    if person is None or (workspace_id := workspace_of(request, person)) is None:
        return (PRICES,)
    return (*of_workspace(person, workspace_id), _prices(person, workspace_id))


def workspace_of(request: Request, person: Caller) -> str | None:
    """Return from whose pages somebody comes, if it is theirs; else where they may do most. None for staff."""
    if person.is_staff:
        return None
    asked = request.query_params.get("workspace")
    return asked if asked in person.workspaces else next(iter(person.by_rights()), None)


def of_workspace(person: Caller, workspace_id: str) -> Sequence[NavLink]:
    """Return its pages that the role may open."""
    path = f"/app/{quote(workspace_id, safe='')}"
    services = (NavLink("Services", f"{path}/billing/addons"),) if person.role_in(workspace_id) in BUYERS else ()
    return (*services, NavLink("Plan and billing", f"{path}/settings/billing"))


def _prices(person: Caller, workspace_id: str) -> NavLink:
    """Return the prices for this workspace; by itself the page takes the one where somebody may do most."""
    if workspace_id == person.by_rights()[0]:
        return PRICES
    return NavLink(PRICES.label, f"{PRICES.href}?{urlencode({'workspace': workspace_id})}")


NOTHING_CHANGED: Final = "Nothing was changed."

WORDS: Final[Mapping[str, Words]] = {
    "addon-not-found": Words(
        what="There is nothing at this address.", next="Go back to the list of add-ons, and choose one of its entries."
    ),
    "parked-not-found": Words(
        what="There is nothing at this address.", next="Go back to the list of what is set aside."
    ),
    "precondition-failed": Words(
        title="This add-on was saved since you opened the page",
        what=NOTHING_CHANGED,
        next="Open it again, see what it is now, and then decide.",
    ),
    "precondition-required": Words(
        title="This form is not complete", what=NOTHING_CHANGED, next="Open the add-on again, and use its own buttons."
    ),
    "invalid-cursor": Words(title="There is no such part of the list", what="", next="Begin at the top of the list."),
}
