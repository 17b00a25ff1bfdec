"""Staff's pages of purchases: the search, and one purchase with its history and its money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages import page_router
from chassis.pages.forms import errors_by_field
from chassis.problems import Problem
from purchases.ledger import plan_money
from purchases.ledger.plan_rows import WorkspaceDispute, WorkspaceRefund
from purchases.ledger.transitions import Status, Step, Trigger, decide
from purchases.parked import store as parked_items
from purchases.parked.store import ParkedItem
from purchases.web.pages.paths import PurchaseId
from purchases.web.pages.staff.staff_words import words_for_staff
from purchases.web.pages.visit import StaffVisit, Visit
from purchases.web.pages.words import BADGES
from purchases.web.reading import read_purchase_for_staff, search_purchases
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
PARAMETERS: Final[tuple[str, ...]] = ("workspace", "status", "stripe_id", "from", "to")
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
async def show_purchases(visit: StaffVisit) -> Response:
    """Show what was searched for; what is wrong with the search is said at its field, by the rules of the API."""
    filters = {name: value.strip() for name, value in visit.request.query_params.items() if value.strip()}
    errors: dict[str, str] = {}
    try:
        found = await search_purchases(visit.database, PurchaseSearch.model_validate(filters))
    except ValidationError as error:
        found, errors = FoundReply(purchases=[]), errors_by_field(error)
    except Problem as problem:
        if "field" not in problem.extra:
            raise
        found, errors = FoundReply(purchases=[]), {problem.extra["field"]: problem.title}
    kept = {name: filters[name] for name in PARAMETERS if name in filters}
    return visit.page(
        "staff/purchases.html",
        found=found,
        filters=filters,
        errors=errors,
        others={name: said for name, said in errors.items() if name not in PARAMETERS},
        badges=BADGES,
        statuses=Status,
        of_the_plan=await _of_the_plan(visit.database, filters.get("workspace")) if not errors else None,
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
    """Return what stands beside a workspace's purchases of its plan's money; None where there is none."""
    if workspace_id is None:
        return None
    async with database.reading() as session:
        refunds = await plan_money.refunds_of(session, workspace_id)
        disputes = await plan_money.disputes_of(session, workspace_id)
        ids = await plan_money.ids_of(session, workspace_id)
        parked = await parked_items.of_purchase(session, ids) if ids else ()
    return OfThePlan(refunds, disputes, parked) if refunds or disputes or parked else None


@router.get("/{purchase_id}")
async def show_purchase(visit: StaffVisit, purchase_id: PurchaseId, done: str = "") -> Response:
    purchase = await read_purchase_for_staff(visit.database, purchase_id)
    return purchase_page(visit, purchase, done=DONE.get(done))


def purchase_page(
    visit: Visit, purchase: AdminPurchaseReply, *, done: str | None = None, problem: Problem | None = None
) -> Response:
    """Show the purchase as it is now, with the problem that somebody met who wanted to move it."""
    return visit.page(
        "staff/purchase.html",
        problem=problem,
        purchase=purchase,
        here=f"{LIST}/{purchase.id}",
        moves=moves_of(purchase),
        stripe_ids=[(label, getattr(purchase, name)) for name, label in STRIPE_IDS.items() if getattr(purchase, name)],
        badges=BADGES,
        refund_colours=REFUND_COLOURS,
        done=done,
        said=words_for_staff(problem) if problem else None,
    )


def moves_of(purchase: AdminPurchaseReply) -> list[tuple[str, str]]:
    """Return the page and the label of each move that the table allows now."""
    by_hand: list[tuple[Trigger, str, str]] = [
        (Trigger.DELIVERED, "deliver", "Mark as delivered …"),
        (Trigger.CANCELLED, "cancel", "Cancel …"),
        (Trigger.REOPENED, "reopen", "Re-open …"),
    ]
    steps = [(decide(status=purchase.status, trigger=trigger), path, label) for trigger, path, label in by_hand]
    moves = [(path, label) for step, path, label in steps if isinstance(step, Step)]
    return [*moves, ("refund", "Refund …")] if purchase.refundable_cents else moves
