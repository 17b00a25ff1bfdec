"""Staff's pages of add-ons: the list of all of them, and putting one on sale or off sale."""

from typing import Annotated, Final, Literal

from fastapi import Form, Query, Request
from starlette.responses import Response

from catalog.api import addons as api
from catalog.api.addons import AddonId, Prices
from catalog.api.requests import Db, Staff
from catalog.bodies import AddonEdit
from catalog.etags import PreconditionFailed, etag_of
from chassis.cursors import Cursor
from chassis.pages import AtPages, page_router
from chassis.pages.site import see_other

LIST: Final = "/admin/addons"
DONE: Final = {
    "created": "The add-on was created.",
    "saved": "The add-on was saved.",
    "on": "The add-on is on sale now.",
    "off": "The add-on is not on sale any more.",
    "deleted": "The add-on was deleted. It can be put on sale again.",
}

OnOff = Literal["on", "off"]
State = Annotated[OnOff | None, Query()]
Done = Annotated[Literal["created", "saved", "on", "off", "deleted"] | None, Query()]
Version = Annotated[str, Form(max_length=40)]
Sale = Annotated[OnOff, Form()]

router = page_router(LIST)


@router.get("")
async def show_addons(
    _: Staff,
    request: Request,
    pages: AtPages,
    database: Db,
    state: State = None,
    cursor: Cursor = None,
    done: Done = None,
) -> Response:
    active = None if state is None else state == "on"
    found = await api.list_addons(database, Response(), active=active, cursor=cursor)
    return pages.page(
        request, "addons.html", found=found, state=state, cursor=cursor, done=DONE.get(done or ""), etag_of=etag_of
    )


@router.post("/{addon_id}/sale")
async def put_on_or_off_sale(
    by: Staff, addon_id: AddonId, sale: Sale, version: Version, database: Db, prices: Prices
) -> Response:
    """Who finds it as wanted already, as the second half of a double click does, has what was wanted."""
    edit = AddonEdit.model_validate({"is_active": sale == "on"})
    try:
        await api.edit_addon(addon_id, edit, by, database, prices, Response(), if_match=version)
    except PreconditionFailed:
        if (await api.show_addon(addon_id, database, Response())).is_active != edit.is_active:
            raise
    return see_other(f"{LIST}?done={sale}")


@router.get("/{addon_id}/delete")
async def ask_before_deleting(_: Staff, addon_id: AddonId, request: Request, pages: AtPages, database: Db) -> Response:
    addon = await api.show_addon(addon_id, database, Response())
    return pages.page(request, "addon_delete.html", addon=addon, version=etag_of(sequence=addon.sequence))


@router.post("/{addon_id}/delete")
async def delete_addon(by: Staff, addon_id: AddonId, version: Version, database: Db, prices: Prices) -> Response:
    try:
        await api.withdraw_addon(addon_id, by, database, prices, if_match=version)
    except PreconditionFailed:
        if (await api.show_addon(addon_id, database, Response())).is_active:
            raise
    return see_other(f"{LIST}?done=deleted")
