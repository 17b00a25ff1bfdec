"""Staff's pages of what was set aside: the list, and one item with what can be decided about it."""

import json
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query
from pydantic import ValidationError
from starlette.responses import Response

from chassis.pages import page_router
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.web.cursors import Cursor
from purchases.batch.parking import allocation_mark
from purchases.parked import store as parked_items
from purchases.parked.retry_all_parked import retry_all_parked
from purchases.parked.review_parked import parked_not_found
from purchases.parked.store import Kind
from purchases.web.bodies import RetryAllBody
from purchases.web.pages.staff.staff_words import words_for_staff
from purchases.web.pages.visit import StaffVisit, Visit
from purchases.web.reading import list_parked, read_parked_item
from purchases.web.replies.parked_replies import ParkedReply

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
    """Return the id of an item. Raises Problem 404 for what can be none."""
    if parked_items.reference_of(item_id) is None:
        raise parked_not_found()
    return item_id


ItemId = Annotated[str, Depends(item_in_path)]
State = Annotated[Literal["open", "resolved"], Query()]


@router.get("")
async def show_parked(
    visit: StaffVisit,
    state: State = "open",
    cursor: Cursor = None,
    retried: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    found = await list_parked(visit.database, is_open=state == "open", cursor=cursor)
    first = f"{LIST}?{urlencode({'state': state})}"
    return visit.page(
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
async def try_all_again(visit: StaffVisit) -> Response:
    """Try everything of the kind that the form names; sent twice, it is tried twice, which harms nothing."""
    try:
        body = RetryAllBody.model_validate({"kind": (await visit.fields()).get("kind", "")})
    except ValidationError:
        return see_other(LIST)
    tried = await retry_all_parked(database=visit.database, kind=body.kind, about=body.about, actor=visit.actor)
    return see_other(f"{LIST}?{urlencode({'retried': tried})}")


@router.get("/{item_id}")
async def show_parked_item(visit: StaffVisit, item_id: ItemId, done: str = "") -> Response:
    item = await read_parked_item(visit.database, item_id)
    return item_page(visit, item, done=TRIED if done == "retry" and item.resolved_at else DONE.get(done))


def item_page(
    visit: Visit,
    item: ParkedReply,
    *,
    done: str | None = None,
    problem: Problem | None = None,
    purchase_id: str = "",
    errors: dict[str, str] | None = None,
) -> Response:
    """Show the item as it is now, with the problem that somebody met who decided about it."""
    return visit.page(
        "staff/parked_item.html",
        problem=problem,
        errors=errors,
        item=item,
        kinds=KINDS,
        payload=json.dumps(item.payload, indent=2, ensure_ascii=False),
        is_allocatable=item.resolved_at is None and waits_for_allocation(item),
        names=[value for value in _texts(item) if value.startswith(("ch_", "pi_", "in_"))],
        done=done,
        said=words_for_staff(problem) if problem else None,
        purchase_id=purchase_id,
    )


def waits_for_allocation(item: ParkedReply) -> bool:
    """Return whether it waits for staff to say whose money it is, or did so before it was ended."""
    return (item.waits_for or "").startswith(allocation_mark(""))


def _texts(item: ParkedReply) -> list[str]:
    return [value for value in item.payload.values() if isinstance(value, str)]
