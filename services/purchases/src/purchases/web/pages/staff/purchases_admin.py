"""Staff's pages of purchases: the search, and one purchase with its history and its money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.forms import errors_by_field
from chassis.problems import Problem
from purchases.ledger import plan_money
from purchases.ledger.plan_rows import WorkspaceDispute, WorkspaceRefund
from purchases.ledger.transitions import Status, Step, Trigger, decide
from purchases.parked import store as parked_items
from purchases.parked.store import ParkedItem
from purchases.web.access import AtDatabase, Staff
from purchases.web.api.staff.staff_routes import get_purchase_for_staff, search_purchases
from purchases.web.pages.badges import BADGES
from purchases.web.pages.ids import PurchaseId
from purchases.web.pages.staff.staff_words import told_to_staff
from purchases.web.replies.staff_replies import AdminPurchaseReply, FoundReply
from purchases.web.searching import PurchaseSearch

LIST: Final = "/admin/purchases"
DONE: Final = {
    "deliver": "The purchase is marked as delivered.",
    "cancel": "The purchase is cancelled.",
    "cancel-refund": "The purchase is cancelled, and its refund is asked for: you see below how it stands.",
    "reopen": "The workspace can buy this service once more.",
    "refund": "The refund is asked for. You see below how it stands.",
    "refund-once": "This form was sent before, and its refund was asked for then, once: you see below how it stands. "
    "Begin another refund if there is to be one more.",
}
ASKED: Final[tuple[str, ...]] = ("workspace", "status", "stripe_id", "from", "to")
REFUND_COLOURS: Final[Mapping[str, str]] = {
    "requested": "yellow",
    "pending": "yellow",
    "requires_action": "yellow",
    "succeeded": "green",
    "failed": "red",
    "canceled": "grey",
}
STRIPE_IDS: Final[Mapping[str, str]] = {
    "stripe_customer_id": "Customer",
    "stripe_invoice_id": "Invoice",
    "stripe_payment_intent_id": "Payment intent",
    "stripe_charge_id": "Charge",
    "stripe_price_id": "Price",
    "stripe_checkout_session_id": "Checkout session",
    "stripe_subscription_id": "Subscription",
}

router = page_router(LIST)


@router.get("")
async def show_purchases(caller: Staff, request: Request, pages: AtPages, database: AtDatabase) -> Response:
    """What is wrong with the search is said at its field, by the rules of the API."""
    asked = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
    errors: dict[str, str] = {}
    try:
        found = await search_purchases(PurchaseSearch.model_validate(asked), caller, database)
    except ValidationError as error:
        found, errors = FoundReply(purchases=[]), errors_by_field(error)
    except Problem as problem:
        if "field" not in problem.extra:
            raise
        found, errors = FoundReply(purchases=[]), {problem.extra["field"]: problem.title}
    kept = {name: asked[name] for name in ASKED if name in asked}
    return pages.page(
        request,
        "staff/purchases.html",
        found=found,
        asked=asked,
        errors=errors,
        others={name: said for name, said in errors.items() if name not in ASKED},
        badges=BADGES,
        statuses=Status,
        of_the_plan=await _of_the_plan(database, asked.get("workspace")) if not errors else None,
        refund_colours=REFUND_COLOURS,
        first=f"{LIST}?{urlencode(kept)}",
        more=f"{LIST}?{urlencode(kept | {'cursor': found.next_cursor})}" if found.next_cursor else None,
    )


@dataclass(frozen=True, slots=True)
class OfThePlan:
    """Money of one workspace's plan that went back, or is disputed, and what is set aside about it."""

    refunds: Sequence[WorkspaceRefund]
    disputes: Sequence[WorkspaceDispute]
    parked: Sequence[ParkedItem]


async def _of_the_plan(database: Database, workspace_id: str | None) -> OfThePlan | None:
    """Where one workspace was looked for, its plan's money stands beside its purchases."""
    if workspace_id is None:
        return None
    async with database.reading() as session:
        refunds = await plan_money.refunds_of(session, workspace_id)
        disputes = await plan_money.disputes_of(session, workspace_id)
        ids = await plan_money.ids_of(session, workspace_id)
        parked = await parked_items.of_purchase(session, ids) if ids else ()
    return OfThePlan(refunds, disputes, parked) if refunds or disputes or parked else None


@router.get("/{purchase_id}")
async def show_purchase(
    caller: Staff, purchase_id: PurchaseId, request: Request, pages: AtPages, database: AtDatabase, done: str = ""
) -> Response:
    purchase = await get_purchase_for_staff(purchase_id, caller, database)
    return purchase_page(request, pages, purchase, done=DONE.get(done))


def purchase_page(
    request: Request,
    pages: Pages,
    purchase: AdminPurchaseReply,
    *,
    done: str | None = None,
    problem: Problem | None = None,
) -> Response:
    """As it is now; with the problem that somebody met who wanted to move it."""
    return pages.page(
        request,
        "staff/purchase.html",
        problem=problem,
        purchase=purchase,
        here=f"{LIST}/{purchase.id}",
        moves=moves_of(purchase),
        stripe_ids=[(label, getattr(purchase, name)) for name, label in STRIPE_IDS.items() if getattr(purchase, name)],
        badges=BADGES,
        refund_colours=REFUND_COLOURS,
        done=done,
        said=told_to_staff(problem) if problem else None,
    )


def moves_of(purchase: AdminPurchaseReply) -> list[tuple[str, str]]:
    """The page and the label of each move that the table allows now."""
    by_hand: list[tuple[Trigger, str, str]] = [
        (Trigger.DELIVERED, "deliver", "Mark as delivered …"),
        (Trigger.CANCELLED, "cancel", "Cancel …"),
        (Trigger.REOPENED, "reopen", "Re-open …"),
    ]
    moves = [(path, label) for trigger, path, label in by_hand if _is_possible(purchase, trigger)]
    return [*moves, ("refund", "Refund …")] if purchase.refundable_cents else moves


def _is_possible(purchase: AdminPurchaseReply, trigger: Trigger) -> bool:
    return isinstance(decide(status=purchase.status, trigger=trigger), Step)
