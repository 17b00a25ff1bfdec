"""Staff decide about what was set aside: try it again, discard it, give it to a purchase; once, and as it was seen."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.forms import errors_by_field, typed
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.web.auth import Caller
from purchases.parked.allocate import not_allocatable, preview_allocation
from purchases.parked.review_parked import decided_meanwhile, not_parked_any_more
from purchases.web.access import AtDatabase, Staff
from purchases.web.api.staff import parked_routes as api
from purchases.web.api.staff.staff_routes import get_purchase_for_staff
from purchases.web.bodies import AllocateBody, DiscardBody
from purchases.web.pages.badges import BADGES
from purchases.web.pages.seen import seen_in
from purchases.web.pages.staff.parked_admin import KINDS, LIST, ItemId, item_of, item_page, waits_for_allocation
from purchases.web.pages.staff.staff_words import told_to_staff
from purchases.web.replies.parked_replies import ParkedReply

router = page_router(f"{LIST}/{{item_id}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided about an item, of which they saw the first `seen` decisions."""

    name: str
    item_id: str
    caller: Caller
    seen: int
    reason: str | None = None

    def stands_in(self, item: ParkedReply) -> bool:
        """Whether this very form was carried out before, and nobody has decided otherwise since."""
        since = [(one.decision, one.actor, one.reason) for one in item.decisions[self.seen :]]
        return since[-1:] == [(self.name, f"staff:{self.caller.subject}", self.reason)]


@router.post("/retry")
async def try_again(caller: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase) -> Response:
    fields = dict(await typed(request))
    decision = Decision(name="retry", item_id=item_id, caller=caller, seen=seen_in(fields))
    return await _decide(request, pages, database, decision, lambda: api.retry_parked_item(item_id, caller, database))


@router.get("/retry")
async def back_to_the_item(_: Staff, item_id: ItemId, database: AtDatabase) -> Response:
    """Who asks for the address of a form."""
    return see_other(f"{LIST}/{(await item_of(database, item_id)).id}")


@router.get("/discard")
async def ask_before_discarding(
    _: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase
) -> Response:
    item = await item_of(database, item_id)
    return _discard_page(request, pages, item, {"seen": str(len(item.decisions))})


@router.post("/discard")
async def discard(caller: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase) -> Response:
    fields = dict(await typed(request))
    try:
        body = DiscardBody(reason=fields.get("reason", "").strip())
    except ValidationError as error:
        return _discard_page(request, pages, await item_of(database, item_id), fields, errors_by_field(error))
    decision = Decision(name="discard", item_id=item_id, caller=caller, seen=seen_in(fields), reason=body.reason)
    return await _decide(
        request,
        pages,
        database,
        decision,
        lambda: api.discard_parked_item(item_id, body, caller, database),
        ask_again=lambda item, refused: _discard_page(
            request, pages, item, {**fields, "seen": str(len(item.decisions))}, problem=refused
        ),
    )


@router.get("/allocate")
async def ask_before_allocating(
    caller: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase, purchase_id: str = ""
) -> Response:
    """Which purchase that is, for somebody to look at before it is said."""
    item = await item_of(database, item_id)
    if item.resolved_at:
        return item_page(request, pages, item, problem=not_parked_any_more())
    if not waits_for_allocation(item):
        return item_page(request, pages, item, problem=not_allocatable())
    try:
        purchase = await get_purchase_for_staff(UUID(purchase_id.strip()), caller, database)
    except (ValueError, Problem):
        errors = {"purchase_id": "There is no purchase of this id"}
        return item_page(request, pages, item, purchase_id=purchase_id, errors=errors)
    try:
        async with database.reading() as session:
            await preview_allocation(session=session, item_id=item_id, purchase_id=purchase.id)
    except Problem as refused:
        return item_page(request, pages, item, problem=refused, purchase_id=purchase_id)
    return pages.page(request, "staff/allocate.html", item=item, purchase=purchase, badges=BADGES)


@router.post("/allocate")
async def allocate(caller: Staff, item_id: ItemId, request: Request, pages: AtPages, database: AtDatabase) -> Response:
    fields = dict(await typed(request))
    purchase_id = fields.get("purchase_id", "").strip()
    try:
        body = AllocateBody.model_validate({"purchase_id": purchase_id})
    except ValidationError as error:
        item = await item_of(database, item_id)
        return item_page(request, pages, item, purchase_id=purchase_id, errors=errors_by_field(error))
    decision = Decision(
        name="allocate", item_id=item_id, caller=caller, seen=seen_in(fields), reason=f"to {body.purchase_id}"
    )
    return await _decide(
        request,
        pages,
        database,
        decision,
        lambda: api.allocate_parked_refund(item_id, body, caller, database),
        ask_again=lambda item, refused: item_page(request, pages, item, problem=refused, purchase_id=purchase_id),
    )


async def _decide(
    request: Request,
    pages: Pages,
    database: Database,
    decision: Decision,
    carry_out: Callable[[], Awaitable[ParkedReply]],
    *,
    ask_again: Callable[[ParkedReply, Problem], Response] | None = None,
) -> Response:
    """Once, and only where nobody has decided since: what was seen is what is decided about.

    `ask_again` is for a decision with something typed, which is not lost while there is still something to decide.
    """
    item, refused = await item_of(database, decision.item_id), None
    if item.decisions[decision.seen :]:
        refused = not_parked_any_more() if item.resolved_at else decided_meanwhile()
    else:
        try:
            await carry_out()
        except Problem as problem:
            item, refused = await item_of(database, decision.item_id), problem
    if refused and not decision.stands_in(item):
        if ask_again and not item.resolved_at:
            return ask_again(item, refused)
        return item_page(request, pages, item, problem=refused)
    return see_other(f"{LIST}/{decision.item_id}?done={decision.name}")


def _discard_page(
    request: Request,
    pages: Pages,
    item: ParkedReply,
    fields: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    """Only of what is still set aside."""
    if item.resolved_at:
        return item_page(request, pages, item, problem=not_parked_any_more())
    return pages.page(
        request,
        "staff/discard.html",
        problem=problem,
        errors=errors,
        item=item,
        kinds=KINDS,
        seen=fields.get("seen", ""),
        reason=fields.get("reason", ""),
        said=told_to_staff(problem) if problem else None,
    )
