"""What is asked before staff move a purchase: what that means, and why it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.database.database import Database
from chassis.problems import Problem
from purchases.checkout import store as checkouts
from purchases.ledger import store as ledger
from purchases.ledger.transitions import Refused, Trigger, decide
from purchases.moves.move_by_hand import illegal_move
from purchases.web.pages.staff.purchases_admin import LIST, purchase_page
from purchases.web.pages.staff.staff_words import words_for_staff
from purchases.web.pages.visit import Visit
from purchases.web.replies.staff_replies import AdminPurchaseReply

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Move:
    """How it is called in addresses and on the page."""

    name: str
    trigger: Trigger
    question: str
    button: str
    kind: str
    needs_reason: bool = True


MOVES: Final = (
    Move("deliver", Trigger.DELIVERED, "Mark as delivered?", "Mark as delivered", "main", needs_reason=False),
    Move("cancel", Trigger.CANCELLED, "Cancel this purchase?", "Cancel the purchase", "danger"),
    Move("reopen", Trigger.REOPENED, "Re-open this purchase?", "Re-open it", "danger"),
)


def move_named(name: str) -> Move:
    """Return the move of this name. Raises HTTPException 404."""
    found = next((move for move in MOVES if move.name == name), None)
    if found is None:
        raise HTTPException(404)
    return found


async def move_question(
    visit: Visit,
    purchase: AdminPurchaseReply,
    move: Move,
    fields: Fields,
    *,
    errors: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    """Ask, but only where the table allows the move: what it says of the purchase is true of no other.

    With `problem` it is asked once more after a refusal that passes, and nothing that was typed is lost.
    """
    step = decide(status=purchase.status, trigger=move.trigger)
    if isinstance(step, Refused):
        return purchase_page(visit, purchase, problem=illegal_move(step))
    return visit.page(
        "staff/move.html",
        problem=problem,
        errors=errors,
        purchase=purchase,
        here=f"{LIST}/{purchase.id}",
        move=move,
        fields=fields,
        sold_along=await _sold_along(visit.database, purchase),
        said=words_for_staff(problem) if problem else None,
    )


async def _sold_along(database: Database, purchase: AdminPurchaseReply) -> int | None:
    """Return how many other services the live Checkout sells beside this one and the plan; None: there is none."""
    async with database.reading() as session:
        known = await ledger.find(session, purchase.id)
        checkout = await checkouts.live_of_purchase(session, known) if known else None
    return len(checkout.purchase_ids) - 1 if checkout else None
