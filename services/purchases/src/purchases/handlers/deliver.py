"""The team marks the work complete."""

import uuid
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from purchases import refusals
from purchases.domain.transitions import Refused, Trigger
from purchases.handlers.move_purchase import move
from purchases.publisher import Cause
from purchases.store import ledger
from purchases.store.rows import Purchase


async def deliver(*, session: AsyncSession, purchase_id: uuid.UUID, actor: str) -> Purchase:
    """Paid becomes delivered. Raises Problem 404, or 409 with the reason."""
    purchase = await ledger.lock_one(session, purchase_id)
    if purchase is None:
        raise refusals.purchase_not_found()
    moved = move(session, purchase, Trigger.DELIVERED, cause=Cause(actor=actor, at=datetime.now(UTC)))
    if isinstance(moved, Refused):
        raise refusals.illegal_move(moved)
    return purchase
