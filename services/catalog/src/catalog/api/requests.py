"""What the routes have in common: who asks, what they are given, and the headers of an answer."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from catalog.actors import Actor
from catalog.etags import PreconditionFailed, PreconditionRequired, etag_of, is_known
from catalog.handlers.addons import AddonNotFound
from catalog.price_list import PriceListCache
from chassis.database.database import Database
from chassis.web.auth import Caller, current_caller, require_staff
from chassis.web.openapi import NOT_STAFF, UNAUTHENTICATED, problems

PUBLIC_CACHING: Final = "public, max-age=0, must-revalidate"
ADMIN_CACHING: Final = "private, no-store"


# All of these are async: FastAPI runs a plain function in a thread, which costs more than the rest of a request.
async def staff(caller: Annotated[Caller, Depends(current_caller)]) -> Actor:
    """Return who asks. Raises Problem 403 unless it is a super_admin."""
    require_staff(caller)
    return Actor.staff(caller)


async def database_of(request: Request) -> Database:
    """Return the database that `main` opened."""
    database: Database = request.app.state.database
    return database


async def price_list_of(request: Request) -> PriceListCache:
    """Return the public list that `main` made."""
    price_list: PriceListCache = request.app.state.price_list
    return price_list


async def existing_id(addon_id: str) -> UUID:
    """Return the id in the path. Raises AddonNotFound for what is no UUID."""
    try:
        return UUID(addon_id)
    except ValueError as error:
        raise AddonNotFound from error


def now() -> datetime:
    """Return the time of a change."""
    return datetime.now(UTC)


Staff = Annotated[Actor, Depends(staff)]
Db = Annotated[Database, Depends(database_of)]
Prices = Annotated[PriceListCache, Depends(price_list_of)]
AddonId = Annotated[UUID, Depends(existing_id)]
IfMatch = Annotated[
    str | None, Header(description='The ETag that was read, e.g. `"3"`; 428 without it', examples=['"3"', "*"])
]
IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag that the caller holds; 304 when nothing changed",
    "example": '"8d0e4f0a6ac12f15a8d9f7b0a1c2d3e4"',
}
NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "The list that the caller holds is the current one"}
}
REFUSED: Final = problems(UNAUTHENTICATED, NOT_STAFF)
CONFLICTS: Final = problems(PreconditionFailed(etag=etag_of(sequence=4)), PreconditionRequired())


async def answer_list(request: Request, prices: PriceListCache) -> Response:
    """Return the list, or 304. The header is read by hand: FastAPI's parameters would cost more than the rest."""
    current = await prices.current()
    headers = {"ETag": current.etag, "Cache-Control": PUBLIC_CACHING}
    if is_known(if_none_match=request.headers.get("if-none-match"), etag=current.etag):
        return Response(status_code=304, headers=headers)
    return Response(current.body, media_type="application/json", headers=headers)


def admin_headers(sequence: int) -> dict[str, str]:
    """Return the headers of one row's answer."""
    return {"ETag": etag_of(sequence=sequence), "Cache-Control": ADMIN_CACHING}
