"""Staff's pages of what the catalog's consumer has set aside: the list, and one item with what can be decided."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Form, Path, Query, Request
from starlette.responses import Response

from catalog.api.requests import Db, Staff
from catalog.consumer import GROUP
from chassis.database.database import Database
from chassis.outbox import parked_review
from chassis.outbox.parked_review import SetAside
from chassis.pages import AtPages, page_router
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.texts import printable

LIST: Final = "/admin/addons/set-aside"
DONE: Final = {
    "retry": "It is tried again now. Look here again in a moment.",
    "discard": "It is discarded, with your reason.",
}
WITHOUT_REASON: Final = "Say why, for whoever looks later."

ItemId = Annotated[int, Path(ge=1, lt=2**63)]

router = page_router(LIST)


@router.get("")
async def show_set_aside(
    _: Staff, request: Request, pages: AtPages, database: Db, retried: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    async with database.reading() as session:
        items = await parked_review.set_aside(session, consumer=GROUP)
    return pages.page(request, "set_aside.html", items=items, most=parked_review.SHOWN, retried=retried)


@router.post("")
async def try_all_again(by: Staff, database: Db) -> Response:
    """Try all again that is set aside; sent twice, it is tried twice, which harms nothing."""
    async with database.transaction() as session:
        tried = await parked_review.retry_all(session, consumer=GROUP, actor=by.name)
    return see_other(f"{LIST}?{urlencode({'retried': len(tried)})}")


@router.get("/{item_id}")
async def show_item(
    _: Staff, item_id: ItemId, request: Request, pages: AtPages, database: Db, done: Annotated[str, Query()] = ""
) -> Response:
    item = await _item(database, item_id)
    return pages.page(request, "set_aside_item.html", item=item, done=DONE.get(done), errors={}, reason="")


@router.post("/{item_id}/retry")
async def try_again(by: Staff, item_id: ItemId, database: Db) -> Response:
    """Try one again; sent twice, or after somebody else decided, show how it stands."""
    await _item(database, item_id)
    async with database.transaction() as session:
        found = await parked_review.retry(session, parked_id=item_id, consumer=GROUP, actor=by.name)
    return _decided(item_id, "retry" if found else None)


@router.post("/{item_id}/discard")
async def discard(
    by: Staff,
    item_id: ItemId,
    request: Request,
    pages: AtPages,
    database: Db,
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    item, why = await _item(database, item_id), printable(reason.strip())
    if not why:
        errors = {"reason": WITHOUT_REASON}
        return pages.page(request, "set_aside_item.html", item=item, done=None, errors=errors, reason=why)
    async with database.transaction() as session:
        found = await parked_review.discard(session, parked_id=item_id, consumer=GROUP, actor=by.name, reason=why)
    return _decided(item_id, "discard" if found else None)


async def _item(database: Database, item_id: int) -> SetAside:
    """Return the item as it is now. Raises Problem 404."""
    async with database.reading() as session:
        item = await parked_review.find(session, parked_id=item_id, consumer=GROUP)
    if item is None:
        raise Problem(404, "parked-not-found", "There is no such parked item")
    return item


def _decided(item_id: int, done: str | None) -> Response:
    return see_other(f"{LIST}/{item_id}" + (f"?{urlencode({'done': done})}" if done else ""))
