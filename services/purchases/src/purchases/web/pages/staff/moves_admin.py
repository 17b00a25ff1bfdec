"""Staff deliver, cancel and re-open a purchase: a page says what that means, asks for the reason, and does it once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.responses import Response
from stripe import StripeClient

from chassis.database.database import Database
from chassis.pages import AtPages, page_router
from chassis.pages.forms import errors_by_field, typed
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.web.auth import Caller
from purchases.ledger.transitions import Status, Trigger
from purchases.web.access import AtDatabase, Staff
from purchases.web.api.staff import staff_move_routes as api
from purchases.web.api.staff.staff_routes import get_purchase_for_staff
from purchases.web.budget import staff_within_budget
from purchases.web.move_bodies import NoteBody, ReasonBody, StaffCancelBody
from purchases.web.pages.ids import PurchaseId
from purchases.web.pages.seen import seen_in
from purchases.web.pages.staff.move_question import Fields, move_named, move_question
from purchases.web.pages.staff.purchases_admin import LIST, purchase_page
from purchases.web.replies.staff_replies import AdminPurchaseReply, TransitionReply
from purchases.web.requests import Stripe

OTHER_MONEY: Final = "Money went back meanwhile, or was asked to. Nothing was changed yet: look at what remains now."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One form that was sent."""

    purchase_id: UUID
    fields: Fields
    caller: Caller
    database: Database
    client: StripeClient

    @property
    def reason(self) -> str | None:
        """As the bodies keep it."""
        return self.fields.get("reason", "").strip() or None

    @property
    def seen(self) -> int:
        """The purchase's sequence when the form was made."""
        return seen_in(self.fields)

    @property
    def wants_refund(self) -> bool:
        """Whether the money is to go back as well."""
        return "refund" in self.fields

    def errors_with(self, purchase: AdminPurchaseReply) -> Mapping[str, str]:
        """Where the box that was ticked named another amount than would go back now."""
        can_go_back = self.wants_refund and purchase.status is Status.PAID
        is_other = can_go_back and self.fields.get("back", "") != str(purchase.refundable_cents)
        return {"refund": OTHER_MONEY} if is_other else {}


async def _deliver(asked: Asked) -> None:
    body = NoteBody.model_validate({"reason": asked.reason})
    await api.deliver_purchase(asked.purchase_id, asked.caller, asked.database, body)


async def _cancel(asked: Asked) -> None:
    expected = {"expected_status": status} if (status := asked.fields.get("status")) in {"pending", "paid"} else {}
    told = {"reason": asked.reason or "", "refund": asked.wants_refund, **expected}
    body = StaffCancelBody.model_validate(told)
    await api.cancel_purchase_as_staff(asked.purchase_id, body, asked.caller, asked.database, asked.client)


async def _reopen(asked: Asked) -> None:
    body = ReasonBody.model_validate({"reason": asked.reason or ""})
    await api.reopen_purchase(asked.purchase_id, body, asked.caller, asked.database)


CARRY_OUT: Final[Mapping[str, Callable[[Asked], Awaitable[None]]]] = {
    "deliver": _deliver,
    "cancel": _cancel,
    "reopen": _reopen,
}

router = page_router(f"{LIST}/{{purchase_id}}")


@router.get("/{move}")
async def ask_before_moving(
    caller: Staff, purchase_id: PurchaseId, move: str, request: Request, pages: AtPages, database: AtDatabase
) -> Response:
    purchase = await get_purchase_for_staff(purchase_id, caller, database)
    return await move_question(request, pages, database, purchase, move_named(move), {"seen": str(purchase.sequence)})


@router.post("/{move}", dependencies=[Depends(staff_within_budget)])
async def move_purchase(
    caller: Staff,
    purchase_id: PurchaseId,
    move: str,
    request: Request,
    pages: AtPages,
    database: AtDatabase,
    client: Stripe,
) -> Response:
    """Done once: the same form sent again leads to where the first did. What can be tried again is asked anew."""
    fields, asked_move, refused = dict(await typed(request)), move_named(move), None
    asked = Asked(purchase_id=purchase_id, fields=fields, caller=caller, database=database, client=client)
    purchase = await get_purchase_for_staff(purchase_id, caller, database)
    if move == "cancel" and (errors := asked.errors_with(purchase)):
        return await move_question(request, pages, database, purchase, asked_move, fields, errors=errors)
    try:
        await CARRY_OUT[move](asked)
    except ValidationError as error:
        return await move_question(
            request, pages, database, purchase, asked_move, fields, errors=errors_by_field(error)
        )
    except Problem as problem:
        refused = problem
    purchase = await get_purchase_for_staff(purchase_id, caller, database)
    if refused and not _was_moved_by(asked, asked_move.trigger, purchase):
        if "Retry-After" not in refused.headers and refused.slug != "status-changed":
            return purchase_page(request, pages, purchase, problem=refused)
        errors = asked.errors_with(purchase)
        return await move_question(
            request, pages, database, purchase, asked_move, fields, errors=errors, problem=refused
        )
    sent = "-refund" if move == "cancel" and _came_with_refund(purchase) else ""
    return see_other(f"{LIST}/{purchase_id}?done={move}{sent}")


def _was_moved_by(asked: Asked, trigger: Trigger, purchase: AdminPurchaseReply) -> bool:
    """Whether this very form did it before: the history holds its move, later than what the form's page showed."""
    last = _last_line(purchase)
    return (
        last is not None
        and (last.trigger, last.actor, last.reason) == (trigger, f"staff:{asked.caller.subject}", asked.reason)
        and last.sequence > asked.seen
        and (trigger is not Trigger.CANCELLED or asked.wants_refund == _came_with_refund(purchase))
    )


def _came_with_refund(purchase: AdminPurchaseReply) -> bool:
    """Whether the last move asked for money back as well: both are one transaction, and have one moment."""
    last = _last_line(purchase)
    return last is not None and any(
        (one.requested_by, one.recorded_at) == (last.actor, last.at) for one in purchase.refunds
    )


def _last_line(purchase: AdminPurchaseReply) -> TransitionReply | None:
    return next((line for line in reversed(purchase.history) if not line.stale), None)
