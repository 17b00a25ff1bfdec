"""Addresses that people type from memory, or know from before: they lead to where one begins."""

from collections.abc import Callable

from fastapi import Request
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.web.auth import Caller, CurrentCaller
from purchases.web.access import AtDatabase, Staff
from purchases.web.pages.frame import HOME, OF_STAFF, home
from purchases.web.pages.paths import billing_path, services_path
from purchases.web.pages.switching import ways_to

router = page_router()


@router.get("/admin")
async def enter_admin(caller: Staff, database: AtDatabase) -> Response:
    return see_other(await home(database, caller))


@router.get(HOME)
async def enter_app(caller: CurrentCaller, database: AtDatabase) -> Response:
    return see_other(await home(database, caller))


@router.get("/app/billing/addons")
async def enter_services(request: Request, pages: AtPages, caller: CurrentCaller, database: AtDatabase) -> Response:
    return await _enter(request, pages, caller, database, services_path)


@router.get("/settings/billing")
async def enter_billing(request: Request, pages: AtPages, caller: CurrentCaller, database: AtDatabase) -> Response:
    return await _enter(request, pages, caller, database, billing_path)


async def _enter(
    request: Request, pages: Pages, caller: Caller, database: Database, page: Callable[[str], str]
) -> Response:
    """Lead to `page` of the caller's workspace, of several to a choice. Raises Problem 404 for who is in none."""
    if caller.is_staff:
        return see_other(OF_STAFF[0].href)
    async with database.reading() as session:
        ways = await ways_to(session, caller, page)
    if not ways:
        raise no_workspace()
    return see_other(ways[0].href) if len(ways) == 1 else pages.page(request, "workspaces.html", ways=ways)


def no_workspace() -> Problem:
    """Return the 404 for somebody who asks for the page of a workspace and is in none that is known here."""
    return Problem(404, "no-workspace", "You are in no workspace")
