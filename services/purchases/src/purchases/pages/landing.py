"""Addresses that people type from memory: they lead to where one begins."""

from starlette.responses import Response

from chassis.auth import CurrentCaller
from chassis.pages import page_router
from chassis.pages.site import see_other
from purchases.api.access import Staff
from purchases.pages.frame import home

router = page_router()


@router.get("/admin")
async def enter_admin(caller: Staff) -> Response:
    return see_other(home(caller))


@router.get("/app")
async def enter_app(caller: CurrentCaller) -> Response:
    return see_other(home(caller))
