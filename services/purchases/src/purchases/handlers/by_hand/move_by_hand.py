"""A person moves a purchase: what the table does not allow is refused with the reason."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from purchases import refusals
from purchases.domain.transitions import Refused, Trigger
from purchases.handlers.steps.move_purchase import move
from purchases.publisher import Cause
from purchases.store import ledger
from purchases.store.rows import Purchase


async def move_by_hand(session: AsyncSession, *, purchase_id: uuid.UUID, trigger: Trigger, cause: Cause) -> Purchase:
    """Lock the purchase and move it. Raises Problem 404, or 409 with the reason."""
    purchase = await ledger.lock_one(session, purchase_id)
    if purchase is None:
        raise refusals.purchase_not_found()
    moved = move(session, purchase, trigger, cause=cause)
    if isinstance(moved, Refused):
        raise refusals.illegal_move(moved)
    return purchase
