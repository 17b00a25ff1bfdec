"""The team marks the work complete."""

import uuid
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Trigger
from purchases.moves.move_by_hand import move_by_hand


async def deliver(*, session: AsyncSession, purchase_id: uuid.UUID, actor: str, reason: str | None = None) -> Purchase:
    """Move a paid purchase to delivered. Raises Problem 404, or 409 with the reason."""
    cause = Cause(actor=actor, at=datetime.now(UTC), reason=reason)
    return await move_by_hand(session, purchase_id=purchase_id, trigger=Trigger.DELIVERED, cause=cause)
