"""What stands around the notifier's pages: staff's entries, the same as around those of catalog and purchases."""

from collections.abc import Sequence
from typing import Final

from fastapi import Request

from chassis.pages import NavLink
from chassis.web.auth import Caller

PRICES: Final = NavLink("Prices", "/pricing")
OF_STAFF: Final = (
    NavLink("Add-ons", "/admin/addons"),
    NavLink("Purchases", "/admin/purchases"),
    NavLink("Set aside", "/admin/parked"),
)


def nav(_: Request, person: Caller | None) -> Sequence[NavLink]:
    """Return staff's entries; whoever else comes has no page here, and is led to the prices."""
    return (*OF_STAFF, PRICES) if person is not None and person.is_staff else (PRICES,)
