"""What is parked is tried again all at once, by kind: after a right was given to our key, say, or a mended fault."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.process.logs import get_logger
from purchases.jobs import store as jobs
from purchases.parked import store as parked_items
from purchases.parked.review_parked import retry_parked
from purchases.parked.rows import ParkedDecision
from purchases.parked.store import Kind

log = get_logger(__name__)

BATCH = 200
"""Items in one transaction; who dies between two has tried the first ones again, and asks once more."""


async def retry_all_parked(*, database: Database, kind: Kind, about: str | None, actor: str) -> int:
    """Have every open item of `kind` tried again, or those about one type of fact or kind of job; how many those were.

    Each is met once, in the order of the ids: what is parked anew meanwhile is left for the next time.
    """
    after, tried = "", 0
    while True:
        async with database.transaction() as session:
            ids = await _retry_some(session, kind, about, after, actor)
        if not ids:
            log.info("parked_items_retried", kind=kind.value, about=about, actor=actor, number=tried)
            return tried
        after, tried = ids[-1], tried + len(ids)


async def _retry_some(session: AsyncSession, kind: Kind, about: str | None, after: str, actor: str) -> list[str]:
    """Retry the first items behind `after` and return their ids; with payments each is decided by itself."""
    if kind is Kind.PAYMENT:
        payments = await parked_items.open_payments(session, after=after, limit=BATCH)
        for item_id in payments:
            await retry_parked(session=session, item_id=item_id, actor=actor)
        return list(payments)
    behind = int(after.partition("-")[2] or 0)
    if kind is Kind.COMMAND:
        numbers = await jobs.reopen_many(session, kind=about, after=behind, limit=BATCH)
    else:
        numbers = await parked_items.retry_facts(session, about=about, after=behind, limit=BATCH)
    ids = [f"{kind.value}-{number}" for number in numbers]
    session.add_all(ParkedDecision(item=one, decision="retry", actor=actor, reason="all at once") for one in ids)
    return ids
