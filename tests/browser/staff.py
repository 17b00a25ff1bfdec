"""Somebody of platform staff, and where they work."""

from typing import Any

from tests.browser.conftest import Visit
from tests.browser.people import STAFF, Visitor

ADDONS, PURCHASES, PARKED = "/admin/addons", "/admin/purchases", "/admin/parked"
MAILS = "/admin/parked-mails"


async def given_staff(visit: Visit, at: str, **browser: Any) -> Visitor:
    """A super_admin who is signed in and there."""
    staff = await visit(**browser)
    await staff.sign_in(STAFF, at=at)
    return staff
