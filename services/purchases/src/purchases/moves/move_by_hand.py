"""A person moves a purchase, delivers or re-opens it: what the table does not allow is refused with the reason."""

import uuid
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from purchases.ledger import problems
from purchases.ledger import store as ledger
from purchases.ledger.move import move
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Refused, Trigger


async def move_by_hand(
    session: AsyncSession, trigger: Trigger, *, purchase_id: uuid.UUID, actor: str, reason: str | None = None
) -> Purchase:
    """Lock the purchase and move it: what is paid is delivered, or what was delivered is re-opened.

    Re-opened, it is cancelled: its slot is free, so that it can be bought once more, and its money stays.
    Raises Problem 404, or 409 with the reason.
    """
    purchase = await ledger.lock_purchase(session, purchase_id)
    if purchase is None:
        raise problems.purchase_not_found()
    cause = Cause(actor=actor, at=datetime.now(UTC), reason=reason)
    moved = move(session, purchase, trigger, cause=cause)
    if isinstance(moved, Refused):
        raise illegal_move(moved)
    return purchase


def illegal_move(refused: Refused) -> Problem:
    """Return a 409 with the reason."""
    return Problem(
        409,
        "illegal-transition",
        "This cannot be done to the purchase now",
        refused.reason,
        purchase_status=refused.status.value,
    )
