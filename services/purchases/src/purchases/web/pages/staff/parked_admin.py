"""Staff's pages of what was set aside: the list, and one item with what can be decided about it."""

import json
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.forms import typed
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.web.cursors import Cursor
from purchases.batch.parking import allocation_mark
from purchases.parked import store as parked_items
from purchases.parked.review_parked import parked_not_found
from purchases.parked.store import Kind
from purchases.web.access import AtDatabase, Staff
from purchases.web.api.staff import parked_routes as api
from purchases.web.bodies import RetryAllBody
from purchases.web.pages.staff.staff_words import told_to_staff
from purchases.web.replies.parked_replies import ParkedReply, parked_reply

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
TRIED: Final = "It was tried again: you see below what became of it."

router = page_router(LIST)


async def item_in_path(item_id: str) -> str:
    """What can be no item's id is nobody's."""
    if parked_items.reference_of(item_id) is None:
        raise parked_not_found()
    return item_id


ItemId = Annotated[str, Depends(item_in_path)]
State = Annotated[Literal["open", "resolved"], Query()]


@router.get("")
async def show_parked(
    caller: Staff,
    request: Request,
    pages: AtPages,
    database: AtDatabase,
    state: State = "open",
    cursor: Cursor = None,
    retried: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    found = await api.list_parked(caller, database, state=state, cursor=cursor)
    first = f"{LIST}?{urlencode({'state': state})}"
    return pages.page(
        request,
        "staff/parked.html",
        found=found,
        state=state,
        kinds=KINDS,
        here=[kind for kind in Kind if state == "open" and any(item.kind is kind for item in found.items)],
        retried=retried,
        first=first if cursor else None,
        more=f"{first}&{urlencode({'cursor': found.next_cursor})}" if found.next_cursor else None,
    )


@router.post("")
async def try_all_again(caller: Staff, request: Request, database: AtDatabase) -> Response:
    """Everything of the kind that the form names; sent twice, it is tried twice, which harms nothing."""
    try:
        body = RetryAllBody.model_validate({"kind": dict(await typed(request)).get("kind", "")})
    except ValidationError:
        return see_other(LIST)
    tried = await api.retry_all(body, caller, database)
    return see_other(f"{LIST}?{urlencode({'retried': tried.retried})}")


@router.get("/{item_id}")
async def show_parked_item(
    _: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase, done: str = ""
) -> Response:
    item = await item_of(database, item_id)
    told = TRIED if done == "retry" and item.resolved_at else DONE.get(done)
    return item_page(request, pages, item, done=told)


async def item_of(database: Database, item_id: str) -> ParkedReply:
    """As it is now. Raises Problem 404."""
    async with database.reading() as session:
        item = await parked_items.find(session, item_id)
    if item is None:
        raise parked_not_found()
    return parked_reply(item)


def item_page(
    request: Request,
    pages: Pages,
    item: ParkedReply,
    *,
    done: str | None = None,
    problem: Problem | None = None,
    purchase_id: str = "",
    errors: dict[str, str] | None = None,
) -> Response:
    """As it is now; with the problem that somebody met who decided about it."""
    return pages.page(
        request,
        "staff/parked_item.html",
        problem=problem,
        errors=errors,
        item=item,
        kinds=KINDS,
        payload=json.dumps(item.payload, indent=2, ensure_ascii=False),
        is_allocatable=item.resolved_at is None and waits_for_allocation(item),
        names=[value for value in _texts(item) if value.startswith(("ch_", "pi_", "in_"))],
        done=done,
        said=told_to_staff(problem) if problem else None,
        purchase_id=purchase_id,
    )


def waits_for_allocation(item: ParkedReply) -> bool:
    """Whether it waits for staff to say whose money it is, or did so before it was ended."""
    return (item.waits_for or "").startswith(allocation_mark(""))


def _texts(item: ParkedReply) -> list[str]:
    return [value for value in item.payload.values() if isinstance(value, str)]
