"""What is deleted once it is resolved for long: parked facts with the ids that they name, and jobs."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox import parked
from chassis.outbox.pruning import Prune
from chassis.replay import sent_facts
from purchases.batch.rows import ParkedReference
from purchases.jobs import store as jobs
from purchases.reconcile import unrecorded


async def prune_parked(session: AsyncSession, kept: timedelta, limit: int) -> int:
    """Delete up to `limit` facts that are resolved for longer than `kept`; what staff decided about them stays."""
    gone = await parked.prune(session, consumer="purchases", kept=kept, limit=limit)
    if facts := [fact_id for _, fact_id in gone if fact_id is not None]:
        await session.execute(delete(ParkedReference).where(ParkedReference.fact_id.in_(facts)))
    return len(gone)


PRUNES: Final[Mapping[str, Prune]] = {
    "stripe_unrecorded_payments": unrecorded.prune,
    "parked": prune_parked,
    "stripe_commands": jobs.prune,
    "sent_facts": sent_facts.prune,
}
"""By table, in this order: a note asks the parked facts whether it may go."""
