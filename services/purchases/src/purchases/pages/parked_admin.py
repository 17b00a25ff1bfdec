"""Staff's pages of what was set aside: the list, and one item that is tried again, discarded or given to a purchase."""

import json
from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from chassis.auth import Caller
from chassis.cursors import Cursor
from chassis.database import Database
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.forms import errors_by_field, typed
from chassis.pages.site import see_other
from chassis.problems import Problem
from purchases import refusals
from purchases.api import parked_routes as api
from purchases.api.access import AtDatabase, Staff
from purchases.api.bodies import AllocateBody, DiscardBody
from purchases.api.parked_replies import ParkedReply, parked_reply
from purchases.api.staff_routes import get_purchase_for_staff
from purchases.pages.badges import BADGES
from purchases.pages.staff_words import told_to_staff
from purchases.store import parked_items
from purchases.store.waiting import allocation_mark

LIST: Final = "/admin/parked"
KINDS: Final = {
    "fact": "What happened",
    "command": "What was asked of Stripe",
    "payment": "A payment that fits no purchase",
}
DONE: Final = {
    "retry": "It is tried again now. Look here again in a moment.",
    "discard": "It is discarded, with your reason.",
    "allocate": "The refund is recorded with that purchase.",
}

router = page_router(LIST)


async def item_in_path(item_id: str) -> str:
    """What can be no item's id is nobody's."""
    if parked_items.reference_of(item_id) is None:
        raise refusals.parked_not_found()
    return item_id


ItemId = Annotated[str, Depends(item_in_path)]
State = Annotated[Literal["open", "resolved"], Query()]


@router.get("")
async def show_parked(
    caller: Staff, request: Request, pages: AtPages, database: AtDatabase, state: State = "open", cursor: Cursor = None
) -> Response:
    found = await api.list_parked(caller, database, state=state, cursor=cursor)
    first = f"{LIST}?{urlencode({'state': state})}"
    return pages.page(
        request,
        "staff/parked.html",
        found=found,
        state=state,
        kinds=KINDS,
        first=first if cursor else None,
        more=f"{first}&{urlencode({'cursor': found.next_cursor})}" if found.next_cursor else None,
    )


@router.get("/{item_id}")
async def show_parked_item(
    _: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase, done: str = ""
) -> Response:
    return _page(request, pages, await _item(database, item_id), done=DONE.get(done))


@router.post("/{item_id}/retry")
async def try_again(caller: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase) -> Response:
    try:
        await api.retry_parked_item(item_id, caller, database)
    except Problem as problem:
        if not await _was_decided_by(caller, database, item_id, "retry"):
            return await _refused(request, pages, database, item_id, problem)
    return see_other(f"{LIST}/{item_id}?done=retry")


@router.get("/{item_id}/discard")
async def ask_before_discarding(
    _: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase
) -> Response:
    item = await _item(database, item_id)
    if item.resolved_at:
        return _page(request, pages, item, problem=refusals.not_parked_any_more())
    return _discard_page(request, pages, item)


@router.post("/{item_id}/discard")
async def discard(caller: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase) -> Response:
    reason = dict(await typed(request)).get("reason", "").strip()
    try:
        await api.discard_parked_item(item_id, DiscardBody(reason=reason), caller, database)
    except ValidationError as error:
        item = await _item(database, item_id)
        return _discard_page(request, pages, item, reason=reason, errors=errors_by_field(error))
    except Problem as problem:
        if not await _was_decided_by(caller, database, item_id, "discard", reason):
            return await _refused(request, pages, database, item_id, problem)
    return see_other(f"{LIST}/{item_id}?done=discard")


@router.get("/{item_id}/allocate")
async def ask_before_allocating(
    caller: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase, purchase_id: str = ""
) -> Response:
    """Which purchase that is, for somebody to look at before it is said."""
    item = await _item(database, item_id)
    try:
        purchase = await get_purchase_for_staff(UUID(purchase_id.strip()), caller, database)
    except (ValueError, Problem):
        errors = {"purchase_id": "There is no purchase of this id"}
        return _page(request, pages, item, purchase_id=purchase_id, errors=errors)
    return pages.page(request, "staff/allocate.html", item=item, purchase=purchase, badges=BADGES)


@router.post("/{item_id}/allocate")
async def allocate(caller: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase) -> Response:
    purchase_id = dict(await typed(request)).get("purchase_id", "").strip()
    try:
        body = AllocateBody.model_validate({"purchase_id": purchase_id})
        await api.allocate_parked_refund(item_id, body, caller, database)
    except ValidationError as error:
        item = await _item(database, item_id)
        return _page(request, pages, item, purchase_id=purchase_id, errors=errors_by_field(error))
    except Problem as problem:
        if not await _was_decided_by(caller, database, item_id, "allocate", f"to {purchase_id}"):
            return await _refused(request, pages, database, item_id, problem)
    return see_other(f"{LIST}/{item_id}?done=allocate")


async def _item(database: Database, item_id: str) -> ParkedReply:
    async with database.reading() as session:
        item = await parked_items.find(session, item_id)
    if item is None:
        raise refusals.parked_not_found()
    return parked_reply(item)


async def _was_decided_by(
    caller: Caller, database: Database, item_id: str, decision: str, reason: str | None = None
) -> bool:
    """Whether this very form did it before."""
    wanted = (decision, f"staff:{caller.subject}", reason)
    return any(wanted == (one.decision, one.actor, one.reason) for one in (await _item(database, item_id)).decisions)


async def _refused(request: Request, pages: Pages, database: Database, item_id: str, problem: Problem) -> Response:
    return _page(request, pages, await _item(database, item_id), problem=problem)


def _discard_page(
    request: Request, pages: Pages, item: ParkedReply, *, reason: str = "", errors: dict[str, str] | None = None
) -> Response:
    return pages.page(
        request,
        "staff/discard.html",
        status=422 if errors else 200,
        item=item,
        kinds=KINDS,
        reason=reason,
        errors=errors or {},
    )


def _page(
    request: Request,
    pages: Pages,
    item: ParkedReply,
    *,
    done: str | None = None,
    problem: Problem | None = None,
    purchase_id: str = "",
    errors: dict[str, str] | None = None,
) -> Response:
    mark = allocation_mark("")
    return pages.page(
        request,
        "staff/parked_item.html",
        status=problem.status if problem else 422 if errors else 200,
        item=item,
        kinds=KINDS,
        told=json.dumps(item.told, indent=2, ensure_ascii=False),
        is_allocatable=item.resolved_at is None and (item.waits_for or "").startswith(mark),
        names=[value for value in _texts(item) if value.startswith(("ch_", "pi_", "in_"))],
        done=done,
        said=told_to_staff(problem) if problem else None,
        purchase_id=purchase_id,
        errors=errors or {},
    )


def _texts(item: ParkedReply) -> list[str]:
    return [value for value in item.told.values() if isinstance(value, str)]
