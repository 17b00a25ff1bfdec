"""Staff deliver, cancel and re-open a purchase: a page says what that means, asks for the reason, and does it once."""

from collections.abc import Mapping
from typing import Final

from fastapi import Depends
from pydantic import ValidationError
from starlette.responses import Response

from chassis.pages import page_router
from chassis.pages.forms import errors_by_field
from chassis.pages.site import see_other
from chassis.problems import Problem
from purchases.ledger.transitions import Status, Trigger
from purchases.moves.move_once import MoveRequest, move_once
from purchases.web.bodies import NoteBody, ReasonBody
from purchases.web.budget import staff_within_budget
from purchases.web.pages.paths import PurchaseId
from purchases.web.pages.staff.move_question import Fields, Move, move_named, move_question
from purchases.web.pages.staff.purchases_admin import LIST, purchase_page
from purchases.web.pages.visit import StaffVisit, Visit, seen_in, status_in
from purchases.web.reading import read_purchase_for_staff
from purchases.web.replies.staff_replies import AdminPurchaseReply
from purchases.web.requests import Stripe

OTHER_MONEY: Final = "Money went back meanwhile, or was asked to. Nothing was changed yet: look at what remains now."

router = page_router(f"{LIST}/{{purchase_id}}")


@router.get("/{move}")
async def ask_before_moving(visit: StaffVisit, purchase_id: PurchaseId, move: str) -> Response:
    purchase = await read_purchase_for_staff(visit.database, purchase_id)
    return await move_question(visit, purchase, move_named(move), {"seen": str(purchase.sequence)})


@router.post("/{name}", dependencies=[Depends(staff_within_budget)])
async def move_purchase(visit: StaffVisit, purchase_id: PurchaseId, name: str, client: Stripe) -> Response:
    """Move it once: the same form sent again leads to where the first did. What can be tried again is asked anew."""
    fields, move = await visit.fields(), move_named(name)
    purchase = await read_purchase_for_staff(visit.database, purchase_id)
    if errors := _other_money(fields, purchase):
        return await move_question(visit, purchase, move, fields, errors=errors)
    try:
        request = _request(visit, purchase, move, fields)
        moved = await move_once(database=visit.database, client=client, request=request)
    except ValidationError as error:
        return await move_question(visit, purchase, move, fields, errors=errors_by_field(error))
    except Problem as problem:
        purchase = await read_purchase_for_staff(visit.database, purchase_id)
        if problem.retry_after is None and problem.slug != "status-changed":
            return purchase_page(visit, purchase, problem=problem)
        errors = _other_money(fields, purchase)
        return await move_question(visit, purchase, move, fields, errors=errors, problem=problem)
    sent = "-refund" if move.trigger is Trigger.CANCELLED and moved.refund_requested else ""
    return see_other(f"{LIST}/{purchase_id}?done={name}{sent}")


def _request(visit: Visit, purchase: AdminPurchaseReply, move: Move, fields: Fields) -> MoveRequest:
    """Read the form. Raises ValidationError, by the rules of the API."""
    reason = fields.get("reason", "").strip()
    body = ReasonBody(reason=reason) if move.needs_reason else NoteBody(reason=reason or None)
    return MoveRequest(
        purchase_id=purchase.id,
        trigger=move.trigger,
        actor=visit.actor,
        reason=body.reason,
        seen=seen_in(fields),
        expected=status_in(fields),
        refund="refund" in fields,
    )


def _other_money(fields: Fields, purchase: AdminPurchaseReply) -> Mapping[str, str]:
    """Return what is wrong where the box that was ticked named another amount than would go back now."""
    can_go_back = "refund" in fields and purchase.status is Status.PAID
    is_other = can_go_back and fields.get("back", "") != str(purchase.refundable_cents)
    return {"refund": OTHER_MONEY} if is_other else {}
