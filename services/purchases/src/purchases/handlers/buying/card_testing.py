"""Card testing: a workspace whose cards were declined too often has to wait."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.store import ledger

DECLINES_ALLOWED: Final = 5
DECLINES_WITHIN: Final = timedelta(minutes=10)


async def waits_until(session: AsyncSession, *, workspace_id: str, now: datetime) -> datetime | None:
    """When enough of the declines are old enough; None for a workspace that may buy."""
    since = now - DECLINES_WITHIN
    declines = await ledger.declines_since(session, workspace_id=workspace_id, since=since)
    if len(declines) <= DECLINES_ALLOWED:
        return None
    return declines[len(declines) - DECLINES_ALLOWED - 1] + DECLINES_WITHIN
