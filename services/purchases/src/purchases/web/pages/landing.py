"""Addresses that people type from memory, or know from before: they lead to where one begins."""

from collections.abc import Callable

from starlette.responses import Response

from chassis.pages import page_router
from chassis.pages.site import see_other
from chassis.problems import Problem
from purchases.web.pages.frame import HOME, OF_STAFF, home
from purchases.web.pages.paths import billing_path, services_path
from purchases.web.pages.switching import ways_to
from purchases.web.pages.visit import AnyVisit, StaffVisit, Visit

router = page_router()


@router.get("/admin")
async def enter_admin(visit: StaffVisit) -> Response:
    return see_other(await home(visit.database, visit.caller))


@router.get(HOME)
async def enter_app(visit: AnyVisit) -> Response:
    return see_other(await home(visit.database, visit.caller))


@router.get("/app/billing/addons")
async def enter_services(visit: AnyVisit) -> Response:
    return await _enter(visit, services_path)


@router.get("/settings/billing")
async def enter_billing(visit: AnyVisit) -> Response:
    return await _enter(visit, billing_path)


async def _enter(visit: Visit, page: Callable[[str], str]) -> Response:
    """Lead to `page` of the caller's workspace, of several to a choice. Raises Problem 404 for who is in none."""
    if visit.caller.is_staff:
        return see_other(OF_STAFF[0].href)
    async with visit.database.reading() as session:
        ways = await ways_to(session, visit.caller, page)
    if not ways:
        raise no_workspace()
    return see_other(ways[0].href) if len(ways) == 1 else visit.page("workspaces.html", ways=ways)


def no_workspace() -> Problem:
    """Return the 404 for somebody who asks for the page of a workspace and is in none that is known here."""
    return Problem(404, "no-workspace", "You are in no workspace")
