"""Add-ons over HTTP: the public list, and their administration."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from catalog import store
from catalog.api.requests import (
    ADMIN_CACHING,
    CONFLICTS,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    REFUSED,
    AddonId,
    Db,
    IfMatch,
    Prices,
    Staff,
    admin_headers,
    answer_list,
    now,
    staff,
)
from catalog.bodies import AddonEdit, NewAddon, SlugLocked
from catalog.cursors import AddonPosition
from catalog.handlers import addons as handlers
from catalog.handlers.addons import AddonNotFound, NameWithoutSlug, PriceMissing
from catalog.prices import every_refusal
from catalog.tables import Addon
from catalog.views import AdminAddon, AdminAddons, PublicAddons, admin_view, admin_views
from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit, position_of
from chassis.web.openapi import INVALID_REQUEST, NOTHING_HERE, UNREADABLE, problems

ADMIN_ADDONS: Final = "/v1/admin/addons"

Active = Annotated[bool | None, Query(description="Only those that are active, or only those that are not")]

UNKNOWN: Final = problems(AddonNotFound(), NOTHING_HERE)
NOT_SELLABLE: Final = (INVALID_REQUEST, *every_refusal())
NEW_REFUSED: Final = problems(*UNREADABLE, *NOT_SELLABLE, NameWithoutSlug())
EDIT_REFUSED: Final = problems(*UNREADABLE, *NOT_SELLABLE, PriceMissing(), SlugLocked())

public = APIRouter(tags=["price list"])
admin = APIRouter(tags=["add-ons"], dependencies=[Depends(staff)], responses=REFUSED)


@public.get(
    "/v1/addons",
    operation_id="list_active_addons",
    response_model=PublicAddons,
    responses=NOT_MODIFIED,
    openapi_extra={"parameters": [IF_NONE_MATCH]},
)
async def list_active_addons(request: Request) -> Response:
    """The add-ons on sale, in the order of the page. Needs no token."""
    return await answer_list(request, request.app.state.price_list)


@admin.get(ADMIN_ADDONS, operation_id="list_addons", responses=problems(INVALID_REQUEST, InvalidCursor()))
async def list_addons(
    database: Db, response: Response, active: Active = None, limit: Limit = PAGE, cursor: Cursor = None
) -> AdminAddons:
    """Add-ons, active or not, in the order of the page: `sort_order`, then name."""
    after = position_of(cursor, AddonPosition)
    async with database.reading() as session:
        found = await store.addons_page(session, active=active, after=after, limit=limit + 1)
    response.headers["Cache-Control"] = ADMIN_CACHING
    return admin_views(found, limit)


@admin.post(ADMIN_ADDONS, operation_id="create_addon", status_code=201, responses=NEW_REFUSED)
async def create_addon(new: NewAddon, by: Staff, database: Db, prices: Prices, response: Response) -> AdminAddon:
    """Add an add-on, inactive unless it says otherwise; the slug is derived from its name."""
    async with database.transaction() as session:
        addon = await handlers.create_addon(session=session, new=new, by=by, now=now())
    prices.forget()
    response.headers["Location"] = f"{ADMIN_ADDONS}/{addon.id}"
    return _shown(addon, response)


@admin.get(ADMIN_ADDONS + "/{addon_id}", operation_id="show_addon", responses=UNKNOWN)
async def show_addon(addon_id: AddonId, database: Db, response: Response) -> AdminAddon:
    """One add-on, with the ETag that an edit needs."""
    async with database.reading() as session:
        return _shown(await handlers.show_addon(session=session, addon_id=addon_id), response)


@admin.patch(ADMIN_ADDONS + "/{addon_id}", operation_id="edit_addon", responses=UNKNOWN | CONFLICTS | EDIT_REFUSED)
async def edit_addon(
    addon_id: AddonId,
    edit: AddonEdit,
    by: Staff,
    database: Db,
    prices: Prices,
    response: Response,
    if_match: IfMatch = None,
) -> AdminAddon:
    """Change an add-on, activate it or take it off sale. Purchases already made keep what they were sold at."""
    async with database.transaction() as session:
        addon = await handlers.edit_addon(
            session=session, addon_id=addon_id, if_match=if_match, edit=edit, by=by, now=now()
        )
    prices.forget()
    return _shown(addon, response)


@admin.delete(
    ADMIN_ADDONS + "/{addon_id}", operation_id="withdraw_addon", status_code=204, responses=UNKNOWN | CONFLICTS
)
async def withdraw_addon(
    addon_id: AddonId, by: Staff, database: Db, prices: Prices, if_match: IfMatch = None
) -> Response:
    """Take an add-on off sale. Its row stays, since the ledger refers to it, and can be activated again."""
    async with database.transaction() as session:
        addon = await handlers.withdraw_addon(session=session, addon_id=addon_id, if_match=if_match, by=by, now=now())
    prices.forget()
    return Response(status_code=204, headers=admin_headers(addon.sequence))


def _shown(addon: Addon, response: Response) -> AdminAddon:
    response.headers.update(admin_headers(addon.sequence))
    return admin_view(addon)
