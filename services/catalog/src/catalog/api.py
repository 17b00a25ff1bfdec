"""The catalog over HTTP: translates, and does nothing else."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response

from catalog import handlers
from catalog.bodies import AddonEdit, NewAddon
from catalog.etags import etag_of, is_known
from catalog.handlers import AddonUnknown
from catalog.price_list import PriceListCache
from catalog.tables import Addon
from catalog.views import AdminAddon, AdminAddons, PublicAddons, admin_view
from chassis.auth import Caller, current_caller, require_staff
from chassis.database import Database
from chassis.problems import MEDIA_TYPE, SCHEMA

ADMIN_ADDONS: Final = "/v1/admin/addons"
PUBLIC_CACHING: Final = "public, max-age=0, must-revalidate"
ADMIN_CACHING: Final = "private, no-store"


# All of these are async: FastAPI runs a plain function in a thread, which costs more than the rest of a request.
async def staff(caller: Annotated[Caller, Depends(current_caller)]) -> Caller:
    """Who asks, if it is a super_admin."""
    require_staff(caller)
    return caller


async def database_of(request: Request) -> Database:
    """The database that main.py opened."""
    database: Database = request.app.state.database
    return database


async def price_list_of(request: Request) -> PriceListCache:
    """The public list that main.py made."""
    price_list: PriceListCache = request.app.state.price_list
    return price_list


async def existing_id(addon_id: str) -> UUID:
    """The id in the path; what is no UUID is the id of no add-on."""
    try:
        return UUID(addon_id)
    except ValueError as error:
        raise AddonUnknown from error


Db = Annotated[Database, Depends(database_of)]
Prices = Annotated[PriceListCache, Depends(price_list_of)]
AddonId = Annotated[UUID, Depends(existing_id)]
IfMatch = Annotated[str | None, Header(description='The ETag that was read, e.g. `"3"`; 428 without it')]
IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag that the caller holds; 304 when nothing changed",
}


def problems(**described: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for the problems that an operation can answer, as `_404="when"`."""
    content = {MEDIA_TYPE: {"schema": SCHEMA}}
    return {int(status[1:]): {"description": text, "content": content} for status, text in described.items()}


REFUSED: Final = problems(_401="No valid token", _403="Not a super_admin")
UNKNOWN: Final = problems(_404="No such add-on")
CONFLICTS: Final = problems(_412="The add-on was changed since it was read", _428="If-Match is missing")
INVALID: Final = problems(_400="Not JSON", _422="Not an add-on that can be sold; nothing is changed")

public = APIRouter(tags=["price list"])
admin = APIRouter(tags=["add-ons"], dependencies=[Depends(staff)], responses=REFUSED)


@public.get(
    "/v1/addons",
    operation_id="list_active_addons",
    response_model=PublicAddons,
    responses={304: {"description": "The list that the caller holds is the current one"}},
    openapi_extra={"parameters": [IF_NONE_MATCH]},
)
async def list_active_addons(request: Request) -> Response:
    """The add-ons on sale, in the order of the page. Needs no token."""
    # Read by hand: FastAPI's own parameters would cost more than the answer, which is ready.
    prices: PriceListCache = request.app.state.price_list
    current = await prices.current()
    headers = {"ETag": current.etag, "Cache-Control": PUBLIC_CACHING}
    if is_known(if_none_match=request.headers.get("if-none-match"), etag=current.etag):
        return Response(status_code=304, headers=headers)
    return Response(current.body, media_type="application/json", headers=headers)


@admin.get(ADMIN_ADDONS, operation_id="list_addons")
async def list_addons(database: Db, response: Response) -> AdminAddons:
    """All add-ons, active or not, in the order of the page."""
    async with database.reading() as session:
        addons = [admin_view(addon) for addon in await handlers.list_addons(session=session)]
    response.headers["Cache-Control"] = ADMIN_CACHING
    return AdminAddons(items=addons)


@admin.post(ADMIN_ADDONS, operation_id="create_addon", status_code=201, responses=INVALID)
async def create_addon(new: NewAddon, database: Db, prices: Prices, response: Response) -> AdminAddon:
    """Add an add-on, inactive unless it says otherwise; the slug is derived from its name."""
    async with database.transaction() as session:
        addon = await handlers.create_addon(session=session, new=new, now=datetime.now(UTC))
    prices.forget()
    response.headers["Location"] = f"{ADMIN_ADDONS}/{addon.id}"
    return _shown(addon, response)


@admin.get(ADMIN_ADDONS + "/{addon_id}", operation_id="show_addon", responses=UNKNOWN)
async def show_addon(addon_id: AddonId, database: Db, response: Response) -> AdminAddon:
    """One add-on, with the ETag that an edit needs."""
    async with database.reading() as session:
        return _shown(await handlers.show_addon(session=session, addon_id=addon_id), response)


@admin.patch(ADMIN_ADDONS + "/{addon_id}", operation_id="edit_addon", responses=UNKNOWN | CONFLICTS | INVALID)
async def edit_addon(
    addon_id: AddonId, edit: AddonEdit, database: Db, prices: Prices, response: Response, if_match: IfMatch = None
) -> AdminAddon:
    """Change an add-on, activate it or take it off sale. Purchases already made keep what they were sold at."""
    async with database.transaction() as session:
        addon = await handlers.edit_addon(
            session=session, addon_id=addon_id, if_match=if_match, edit=edit, now=datetime.now(UTC)
        )
    prices.forget()
    return _shown(addon, response)


@admin.delete(
    ADMIN_ADDONS + "/{addon_id}", operation_id="withdraw_addon", status_code=204, responses=UNKNOWN | CONFLICTS
)
async def withdraw_addon(addon_id: AddonId, database: Db, prices: Prices, if_match: IfMatch = None) -> Response:
    """Take an add-on off sale. Its row stays, since the ledger refers to it, and can be activated again."""
    async with database.transaction() as session:
        addon = await handlers.withdraw_addon(
            session=session, addon_id=addon_id, if_match=if_match, now=datetime.now(UTC)
        )
    prices.forget()
    return Response(status_code=204, headers=_admin_headers(addon))


def _shown(addon: Addon, response: Response) -> AdminAddon:
    response.headers.update(_admin_headers(addon))
    return admin_view(addon)


def _admin_headers(addon: Addon) -> dict[str, str]:
    return {"ETag": etag_of(sequence=addon.sequence), "Cache-Control": ADMIN_CACHING}
