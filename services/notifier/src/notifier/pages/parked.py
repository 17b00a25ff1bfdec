"""Staff's pages of parked mails, and of facts that no mail could be made of: the list, and one item."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Form, Query, Request
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages import AtPages, page_router
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.texts import printable
from chassis.web.auth import Caller, CurrentCaller, require_staff
from notifier.consumer import GROUP
from notifier.pages.frame import ALL, DONE, KINDS, WITHOUT_REASON
from notifier.parked import parked_items
from notifier.parked.parked_items import Item, Kind

LIST: Final = "/admin/parked-mails"


async def database_of(request: Request) -> Database:
    """Return the database that `main` opened."""
    database: Database = request.app.state.database
    return database


async def staff(caller: CurrentCaller) -> Caller:
    """Return who asks. Raises Problem 403 unless it is platform staff."""
    require_staff(caller)
    return caller


async def item_in_path(item_id: str) -> str:
    """Return the item's id. Raises Problem 404 for what can be none."""
    if parked_items.reference_of(item_id) is None:
        raise not_found()
    return item_id


Db = Annotated[Database, Depends(database_of)]
Staff = Annotated[Caller, Depends(staff)]
ItemId = Annotated[str, Depends(item_in_path)]

router = page_router(LIST)


def not_found() -> Problem:
    """Return a 404: it never was, or was deleted long after it was done with."""
    return Problem(404, "parked-not-found", "There is no such parked item")


@router.get("")
async def show_parked_mails(
    _: Staff, request: Request, pages: AtPages, database: Db, retried: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    async with database.reading() as session:
        items = await parked_items.open_items(session, consumer=GROUP)
        lately = await parked_items.decisions(session)
    here = [kind for kind in Kind if any(item.kind is kind for item in items)]
    most = parked_items.SHOWN
    return pages.page(
        request,
        "parked_mails.html",
        items=items,
        here=here,
        kinds=KINDS,
        all=ALL,
        lately=lately,
        most=most,
        retried=retried,
    )


@router.post("")
async def try_all_again(by: Staff, database: Db, kind: Annotated[str, Form(max_length=20)] = "") -> Response:
    """Try everything again of the kind that the form names; sent twice, what is parked by then is tried twice."""
    if kind not in list(Kind):
        return see_other(LIST)
    async with database.transaction() as session:
        tried = await parked_items.retry_all(session, Kind(kind), consumer=GROUP, actor=_name(by))
    return see_other(f"{LIST}?{urlencode({'retried': len(tried)})}")


@router.get("/{item_id}")
async def show_parked_mail(
    _: Staff, item_id: ItemId, request: Request, pages: AtPages, database: Db, done: Annotated[str, Query()] = ""
) -> Response:
    return pages.page(request, "parked_mail.html", **await _shown(database, item_id), done=DONE.get(done), reason="")


@router.post("/{item_id}/retry")
async def try_again(by: Staff, item_id: ItemId, database: Db) -> Response:
    """Try one again; sent twice, or after somebody else decided, show how it stands."""
    await _item(database, item_id)
    async with database.transaction() as session:
        found = await parked_items.retry(session, item_id, consumer=GROUP, actor=_name(by))
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
    why = printable(reason.strip())
    if not why:
        errors = {"reason": WITHOUT_REASON}
        shown = await _shown(database, item_id)
        return pages.page(request, "parked_mail.html", **shown, done=None, errors=errors, reason=why)
    await _item(database, item_id)
    async with database.transaction() as session:
        found = await parked_items.discard(session, item_id, consumer=GROUP, actor=_name(by), reason=why)
    return _decided(item_id, "discard" if found else None)


@router.get("/{item_id}/retry")
@router.get("/{item_id}/discard")
async def back_to_the_item(_: Staff, item_id: ItemId, database: Db) -> Response:
    """Lead who asks for the address of a form to its page."""
    return see_other(f"{LIST}/{(await _item(database, item_id)).id}")


async def _shown(database: Database, item_id: str) -> dict[str, Any]:
    """Return what the page of one item shows of it, as it is now. Raises Problem 404."""
    item = await _item(database, item_id)
    async with database.reading() as session:
        decided = await parked_items.decisions(session, item_id=item_id)
    return {"item": item, "decided": decided, "kinds": KINDS, "concerns": _concerns(item)}


def _concerns(item: Item) -> tuple[str, str] | None:
    """Return the page of the purchase, or those of the workspace, that a mail is about, and what its link says."""
    try:
        return (f"/admin/purchases/{UUID(item.purchase_id)}", "The purchase") if item.purchase_id else _workspace(item)
    except ValueError:
        return None


def _workspace(item: Item) -> tuple[str, str] | None:
    if not item.workspace_id:
        return None
    return f"/admin/purchases?{urlencode({'workspace': item.workspace_id})}", f"Workspace {item.workspace_id}"


async def _item(database: Database, item_id: str) -> Item:
    async with database.reading() as session:
        item = await parked_items.find(session, item_id, consumer=GROUP)
    if item is None:
        raise not_found()
    return item


def _name(caller: Caller) -> str:
    return f"staff:{caller.subject}"


def _decided(item_id: str, done: str | None) -> Response:
    return see_other(f"{LIST}/{item_id}" + (f"?{urlencode({'done': done})}" if done else ""))
