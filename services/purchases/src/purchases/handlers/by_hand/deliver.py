"""The team marks the work complete."""

import uuid
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.domain.transitions import Trigger
from purchases.handlers.by_hand.move_by_hand import move_by_hand
from purchases.publisher import Cause
from purchases.store.rows import Purchase


async def deliver(*, session: AsyncSession, purchase_id: uuid.UUID, actor: str, reason: str | None = None) -> Purchase:
    """Paid becomes delivered. Raises Problem 404, or 409 with the reason."""
    cause = Cause(actor=actor, at=datetime.now(UTC), reason=reason)
    return await move_by_hand(session, purchase_id=purchase_id, trigger=Trigger.DELIVERED, cause=cause)
