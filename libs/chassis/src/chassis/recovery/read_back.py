"""Reads a restored copy back: a service's own loop, which waits for an epoch that the relay began, and then ends it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database, plain_connection
from chassis.kafka.records import Received, decode
from chassis.process.health import Health
from chassis.process.logs import get_logger
from chassis.process.retrying import backs_off, counts_back_offs
from chassis.process.settings import ServiceSettings
from chassis.recovery import epochs
from chassis.recovery.epochs import UnreadEpoch
from chassis.recovery.numbered import Numbered, numbered_by, topics_of
from chassis.recovery.published import published_records

log = get_logger(__name__)

LOOP: Final = "read-back"
LOOK_SECONDS: Final = 2.0
CALL_SECONDS: Final = 300.0
"""So long may one step take that asks Stripe."""
LOCK: Final = "quittance-read-back"
Sequences = Mapping[Numbered, Mapping[str, int]]
"""By kind and subject, the greatest number that was published."""


class ReadBack(Protocol):
    """Gives the database back what it had published; safe to repeat from the start. Calls `turned` at each step."""

    def __call__(self, unread: Sequence[UnreadEpoch], *, turned: Callable[[], None]) -> Awaitable[None]: ...


async def keep_read_back(database: Database, read_back: ReadBack, *, health: Health) -> None:
    """Loop: whatever fails, nothing is sold, and it is tried again."""
    counts_back_offs(LOOP)
    while True:
        health.beat(LOOP)
        try:
            await read_back_once(database, read_back, turned=lambda: health.beat(LOOP, limit=CALL_SECONDS))
        except Exception as error:
            backs_off(LOOP, error)
        await health.rest(LOOP, LOOK_SECONDS)


async def read_back_once(database: Database, read_back: ReadBack, *, turned: Callable[[], None] = lambda: None) -> bool:
    """Read back what is unread, unless another process is at it; return whether selling goes on by that."""
    if not await _unread(database):
        return False
    async with plain_connection(database.url, name=LOOP) as connection:
        if not await connection.fetchval("select pg_try_advisory_lock(hashtext($1))", LOCK):
            return False
        unread = await _unread(database)
        await read_back(unread, turned=turned)
        async with database.transaction() as session:
            ended = await epochs.end(
                session, epochs=[one.epoch for one in unread], by="quittance", reason="all of it was read back"
            )
        log.warning("read_back", epochs=[one.epoch for one in unread], effect="selling goes on")
        return ended > 0


async def published_facts(
    settings: ServiceSettings, ledger: Sequence[Numbered], unread: Sequence[UnreadEpoch]
) -> AsyncIterator[Received]:
    """Yield the numbered facts that the copy had forgotten; those of a key in their order."""
    async with published_records(settings, topics_of(ledger)) as records:
        first, ends = await records.first(), await records.ends()
        for epoch in unread:
            there = [one for one in epoch.stretches if one.end <= ends.get((one.topic, one.partition), 0)]
            left = [one for one in there if first.get((one.topic, one.partition), 0) < one.end]
            async for batch in records.read(left) if left else _nothing():
                for record in batch:
                    received = decode(record)
                    if isinstance(received, Received) and numbered_by(ledger, received.fact):
                        yield received


def greatest(ledger: Sequence[Numbered], received: Sequence[Received]) -> Sequences:
    """Return the greatest number of each subject."""
    found: dict[Numbered, dict[str, int]] = defaultdict(dict)
    for one in received:
        if numbered := numbered_by(ledger, one.fact):
            fact: Any = one.fact
            found[numbered][fact.subject] = max(fact.sequence, found[numbered].get(fact.subject, 0))
    return found


async def lift(session: AsyncSession, sequences: Sequences) -> None:
    """Lift the rows that there are above what was published: whoever reads by number drops nothing that is new."""
    for numbered, published in sequences.items():
        subjects = sorted(published)
        await session.execute(text(numbered.lock), {"subjects": subjects})
        numbers = [published[subject] for subject in subjects]
        await session.execute(text(numbered.lift), {"subjects": subjects, "sequences": numbers})


async def _unread(database: Database) -> Sequence[UnreadEpoch]:
    async with database.reading() as session:
        return await epochs.unread(session)


async def _nothing() -> Any:
    return
    yield
