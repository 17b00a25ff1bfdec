"""A person moves a purchase: what the table does not allow is refused with the reason."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from purchases.ledger import problems
from purchases.ledger import store as ledger
from purchases.ledger.move import move
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Refused, Trigger


async def move_by_hand(session: AsyncSession, *, purchase_id: uuid.UUID, trigger: Trigger, cause: Cause) -> Purchase:
    """Lock the purchase and move it. Raises Problem 404, or 409 with the reason."""
    purchase = await ledger.lock_purchase(session, purchase_id)
    if purchase is None:
        raise problems.purchase_not_found()
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
