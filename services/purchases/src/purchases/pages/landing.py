"""Addresses that people type from memory: they lead to where one begins."""

from starlette.responses import Response

from chassis.auth import CurrentCaller
from chassis.pages import page_router
from chassis.pages.site import see_other
from purchases.api.access import AtDatabase, Staff
from purchases.pages.frame import HOME, home

router = page_router()


@router.get("/admin")
async def enter_admin(caller: Staff, database: AtDatabase) -> Response:
    return see_other(await home(database, caller))


@router.get(HOME)
async def enter_app(caller: CurrentCaller, database: AtDatabase) -> Response:
    return see_other(await home(database, caller))
