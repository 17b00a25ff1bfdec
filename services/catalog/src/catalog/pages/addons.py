"""Staff's pages of add-ons: the list of all of them, and putting one on sale or off sale."""

from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Form, Query, Request
from starlette.responses import Response

from catalog import store
from catalog.api.requests import AddonId, Db, Prices, Staff, now
from catalog.bodies import AddonEdit
from catalog.cursors import AddonPosition
from catalog.etags import PreconditionFailed, etag_of
from catalog.handlers import addons as handlers
from catalog.views import AdminAddon, admin_view, admin_views
from chassis.database.database import Database
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.site import see_other
from chassis.web.cursors import PAGE, Cursor, position_of

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
    active, after = None if state is None else state == "on", position_of(cursor, AddonPosition)
    async with database.reading() as session:
        rows = await store.addons_page(session, active=active, after=after, limit=PAGE + 1)
    found, said = admin_views(rows, PAGE), DONE.get(done or "")
    return pages.page(request, "addons.html", found=found, state=state, cursor=cursor, done=said, etag_of=etag_of)


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
    """Put it on or off sale; found so already, as by the second half of a double click, it is done.

    `state` and `cursor` are of the list that the button stands in.
    """
    edit = AddonEdit.model_validate({"is_active": sale == "on"})
    try:
        async with database.transaction() as session:
            await handlers.edit_addon(session=session, addon_id=addon_id, if_match=version, edit=edit, by=by, now=now())
        prices.forget()
    except PreconditionFailed as problem:
        addon = await read_addon(database, addon_id)
        if addon.is_active != edit.is_active:
            return _saved_meanwhile(request, pages, addon, problem)
    place = {"done": sale, "state": state, "cursor": cursor}
    return see_other(f"{LIST}?{urlencode({name: value for name, value in place.items() if value})}")


@router.get("/{addon_id}/sale")
async def back_to_the_list(_: Staff, addon_id: AddonId) -> Response:  # noqa: ARG001 - what is no id leads nowhere
    """Lead who asks for the address of a form back to the list."""
    return see_other(LIST)


@router.get("/{addon_id}/delete")
async def ask_before_deleting(_: Staff, addon_id: AddonId, request: Request, pages: AtPages, database: Db) -> Response:
    addon = await read_addon(database, addon_id)
    return pages.page(request, "addon_delete.html", addon=addon, version=etag_of(sequence=addon.sequence))


@router.post("/{addon_id}/delete")
async def delete_addon(
    by: Staff, addon_id: AddonId, version: Version, request: Request, pages: AtPages, database: Db, prices: Prices
) -> Response:
    try:
        async with database.transaction() as session:
            await handlers.withdraw_addon(session=session, addon_id=addon_id, if_match=version, by=by, now=now())
        prices.forget()
    except PreconditionFailed as problem:
        addon = await read_addon(database, addon_id)
        if addon.is_active:
            return _saved_meanwhile(request, pages, addon, problem)
    return see_other(f"{LIST}?done=deleted")


async def read_addon(database: Database, addon_id: UUID) -> AdminAddon:
    """Return the add-on as it is now. Raises AddonNotFound."""
    async with database.reading() as session:
        return admin_view(await handlers.show_addon(session=session, addon_id=addon_id))


def _saved_meanwhile(request: Request, pages: Pages, addon: AdminAddon, problem: PreconditionFailed) -> Response:
    """Show the problem with the way to what is to be looked at."""
    said = pages.for_people(request, problem)
    return pages.page(request, "addon_saved_meanwhile.html", problem=problem, said=said, addon=addon)
