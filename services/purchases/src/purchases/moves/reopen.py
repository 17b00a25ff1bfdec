"""Support re-opens the catalog for a workspace: what was delivered can be bought once more."""

import uuid
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Trigger
from purchases.moves.move_by_hand import move_by_hand


async def reopen(*, session: AsyncSession, purchase_id: uuid.UUID, actor: str, reason: str) -> Purchase:
    """Cancel a delivered purchase: its slot is free, its money stays. Raises Problem 404, or 409 with the reason."""
    cause = Cause(actor=actor, at=datetime.now(UTC), reason=reason)
    return await move_by_hand(session, purchase_id=purchase_id, trigger=Trigger.REOPENED, cause=cause)
