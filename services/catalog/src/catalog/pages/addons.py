"""Staff's pages of add-ons: the list of all of them, and putting one on sale or off sale."""

from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import Form, Query, Request
from starlette.responses import Response

from catalog.api import addons as api
from catalog.api.addons import AddonId, Prices
from catalog.api.requests import Db, Staff
from catalog.bodies import AddonEdit
from catalog.etags import PreconditionFailed, etag_of
from catalog.views import AdminAddon
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.site import see_other
from chassis.web.cursors import Cursor

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
    by: Staff,
    addon_id: AddonId,
    sale: Sale,
    version: Version,
    request: Request,
    pages: AtPages,
    database: Db,
    prices: Prices,
    state: Annotated[OnOff | None, Form()] = None,
    cursor: Annotated[str | None, Form(max_length=2000)] = None,
) -> Response:
    """Who finds it as wanted already, as the second half of a double click does, has what was wanted.

    `state` and `cursor` are of the list that the button stands in.
    """
    edit = AddonEdit.model_validate({"is_active": sale == "on"})
    try:
        await api.edit_addon(addon_id, edit, by, database, prices, Response(), if_match=version)
    except PreconditionFailed as problem:
        addon = await api.show_addon(addon_id, database, Response())
        if addon.is_active != edit.is_active:
            return _saved_meanwhile(request, pages, addon, problem)
    place = {"done": sale, "state": state, "cursor": cursor}
    return see_other(f"{LIST}?{urlencode({name: value for name, value in place.items() if value})}")


@router.get("/{addon_id}/sale")
async def back_to_the_list(_: Staff, addon_id: AddonId) -> Response:  # noqa: ARG001 - what is no id leads nowhere
    """Who asks for the address of a form."""
    return see_other(LIST)


@router.get("/{addon_id}/delete")
async def ask_before_deleting(_: Staff, addon_id: AddonId, request: Request, pages: AtPages, database: Db) -> Response:
    addon = await api.show_addon(addon_id, database, Response())
    return pages.page(request, "addon_delete.html", addon=addon, version=etag_of(sequence=addon.sequence))


@router.post("/{addon_id}/delete")
async def delete_addon(
    by: Staff, addon_id: AddonId, version: Version, request: Request, pages: AtPages, database: Db, prices: Prices
) -> Response:
    try:
        await api.withdraw_addon(addon_id, by, database, prices, if_match=version)
    except PreconditionFailed as problem:
        addon = await api.show_addon(addon_id, database, Response())
        if addon.is_active:
            return _saved_meanwhile(request, pages, addon, problem)
    return see_other(f"{LIST}?done=deleted")


def _saved_meanwhile(request: Request, pages: Pages, addon: AdminAddon, problem: PreconditionFailed) -> Response:
    """With the way to what is to be looked at."""
    said = pages.for_people(request, problem)
    return pages.page(request, "addon_saved_meanwhile.html", problem=problem, said=said, addon=addon)
