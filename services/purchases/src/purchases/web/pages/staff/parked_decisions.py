"""Staff decide about what was set aside: try it again, discard it, give it to a purchase; once, and as it was seen."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from chassis.pages import page_router
from chassis.pages.forms import errors_by_field
from chassis.pages.site import see_other
from chassis.problems import Problem
from purchases.parked import allocate as allocation
from purchases.parked.review_parked import Decision, decide_once, discard_parked, not_parked_any_more, retry_parked
from purchases.web.bodies import AllocateBody, DiscardBody
from purchases.web.pages.staff.parked_admin import KINDS, LIST, ItemId, item_page, waits_for_allocation
from purchases.web.pages.staff.staff_words import words_for_staff
from purchases.web.pages.visit import StaffVisit, Visit, seen_in
from purchases.web.pages.words import BADGES
from purchases.web.reading import read_parked_item, read_purchase_for_staff
from purchases.web.replies.parked_replies import ParkedReply

router = page_router(f"{LIST}/{{item_id}}")


@router.post("/retry")
async def try_again(visit: StaffVisit, item_id: ItemId) -> Response:
    decision = Decision(name="retry", item_id=item_id, actor=visit.actor, seen=seen_in(await visit.fields()))
    return await _decide(
        visit, decision, lambda session: retry_parked(session=session, item_id=item_id, actor=visit.actor)
    )


@router.get("/retry")
async def back_to_the_item(visit: StaffVisit, item_id: ItemId) -> Response:
    """Lead who asks for the address of a form to its item."""
    return see_other(f"{LIST}/{(await read_parked_item(visit.database, item_id)).id}")


@router.get("/discard")
async def ask_before_discarding(visit: StaffVisit, item_id: ItemId) -> Response:
    item = await read_parked_item(visit.database, item_id)
    return _discard_page(visit, item, {"seen": str(len(item.decisions))})


@router.post("/discard")
async def discard(visit: StaffVisit, item_id: ItemId) -> Response:
    fields = await visit.fields()
    try:
        reason = DiscardBody(reason=fields.get("reason", "").strip()).reason
    except ValidationError as error:
        item = await read_parked_item(visit.database, item_id)
        return _discard_page(visit, item, fields, errors_by_field(error))
    decision = Decision(name="discard", item_id=item_id, actor=visit.actor, seen=seen_in(fields), reason=reason)
    return await _decide(
        visit,
        decision,
        lambda session: discard_parked(session=session, item_id=item_id, actor=visit.actor, reason=reason),
        ask_again=lambda item, refused: _discard_page(
            visit, item, {**fields, "seen": str(len(item.decisions))}, problem=refused
        ),
    )


@router.get("/allocate")
async def ask_before_allocating(visit: StaffVisit, item_id: ItemId, purchase_id: str = "") -> Response:
    """Show which purchase that is, for somebody to look at before it is said."""
    item = await read_parked_item(visit.database, item_id)
    if item.resolved_at:
        return item_page(visit, item, problem=not_parked_any_more())
    if not waits_for_allocation(item):
        return item_page(visit, item, problem=allocation.not_allocatable())
    try:
        purchase = await read_purchase_for_staff(visit.database, UUID(purchase_id.strip()))
    except (ValueError, Problem):
        errors = {"purchase_id": "There is no purchase of this id"}
        return item_page(visit, item, purchase_id=purchase_id, errors=errors)
    try:
        async with visit.database.reading() as session:
            await allocation.preview_allocation(session=session, item_id=item_id, purchase_id=purchase.id)
    except Problem as refused:
        return item_page(visit, item, problem=refused, purchase_id=purchase_id)
    return visit.page("staff/allocate.html", item=item, purchase=purchase, badges=BADGES)


@router.post("/allocate")
async def allocate(visit: StaffVisit, item_id: ItemId) -> Response:
    fields = await visit.fields()
    typed_id = fields.get("purchase_id", "").strip()
    try:
        purchase_id = AllocateBody.model_validate({"purchase_id": typed_id}).purchase_id
    except ValidationError as error:
        item = await read_parked_item(visit.database, item_id)
        return item_page(visit, item, purchase_id=typed_id, errors=errors_by_field(error))
    decision = Decision(
        name="allocate", item_id=item_id, actor=visit.actor, seen=seen_in(fields), reason=f"to {purchase_id}"
    )
    return await _decide(
        visit,
        decision,
        lambda session: allocation.allocate(
            session=session, item_id=item_id, purchase_id=purchase_id, actor=visit.actor
        ),
        ask_again=lambda item, refused: item_page(visit, item, problem=refused, purchase_id=typed_id),
    )


async def _decide(
    visit: Visit,
    decision: Decision,
    carry_out: Callable[[AsyncSession], Awaitable[object]],
    *,
    ask_again: Callable[[ParkedReply, Problem], Response] | None = None,
) -> Response:
    """Carry it out once, and only where nobody has decided since: what was seen is what is decided about.

    `ask_again` is for a decision with something typed, which is not lost while there is still something to decide.
    """
    try:
        await decide_once(database=visit.database, decision=decision, carry_out=carry_out)
    except Problem as refused:
        item = await read_parked_item(visit.database, decision.item_id)
        if ask_again and not item.resolved_at:
            return ask_again(item, refused)
        return item_page(visit, item, problem=refused)
    return see_other(f"{LIST}/{decision.item_id}?done={decision.name}")


def _discard_page(
    visit: Visit,
    item: ParkedReply,
    fields: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    """Show the form, but only of what is still set aside."""
    if item.resolved_at:
        return item_page(visit, item, problem=not_parked_any_more())
    return visit.page(
        "staff/discard.html",
        problem=problem,
        errors=errors,
        item=item,
        kinds=KINDS,
        seen=fields.get("seen", ""),
        reason=fields.get("reason", ""),
        said=words_for_staff(problem) if problem else None,
    )
