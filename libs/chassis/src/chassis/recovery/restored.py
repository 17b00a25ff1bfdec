"""Finds out that the database is a copy of before: what lies on Kafka behind the acknowledged offsets says so.

A fact goes to Kafka only after its commit. One that Kafka has, and that is neither in the ledger nor in the outbox,
was committed by a database that had more than this one: a backup was restored, or a failover lost commits.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from chassis.kafka.records import Received, decode
from chassis.process.logs import get_logger
from chassis.process.settings import ServiceSettings
from chassis.recovery.epochs import CHANNEL, Stretch, id_in_epoch
from chassis.recovery.numbered import Numbered, numbered_by, topics_of
from chassis.recovery.published import Ends, published_records

log = get_logger(__name__)

WHY: Final = "Kafka has facts of ours that are neither in the ledger nor in the outbox"
STORED: Final = "select topic, partition, next_offset from relay_offsets"
STORE: Final = """
    insert into relay_offsets (topic, partition, next_offset)
    select * from unnest($1::text[], $2::int[], $3::bigint[]) as ends (topic, partition, next_offset)
    on conflict (topic, partition) do update set next_offset = excluded.next_offset
"""
IN_OUTBOX: Final = "select id, fact_id, epoch, payload from outbox where fact_id = any($1::uuid[])"
# Whoever has inserted a fact is waited for, and whoever inserts one later does so in the new epoch.
LOCK: Final = "lock table outbox in share row exclusive mode"
LOCK_WAIT: Final = "set local lock_timeout = '5s'"
BEGIN: Final = """
    insert into epochs (epoch, reason, stretches, missing_facts)
    select greatest(max(epoch) + 1, floor(extract(epoch from clock_timestamp()))::bigint), $1, $2::jsonb, $3 from epochs
    returning epoch
"""
"""Seconds of Unix time: a copy of before this epoch, restored once more, never begins the same one again."""
RENUMBER: Final = "update outbox set epoch = $1 where id = any($2::bigint[])"


@dataclass(slots=True)
class Judgement:
    """What of the records behind the acknowledged offsets this database does not know."""

    missing: int = 0
    conflicts: list[int] = field(default_factory=list)
    """Rows of the outbox whose id Kafka has with another body."""

    @property
    def is_restored(self) -> bool:
        return bool(self.missing or self.conflicts)


class RestoreCheck:
    """Of the topics with one service's numbered facts. Only the relay that leads runs it: nobody else writes them."""

    def __init__(self, settings: ServiceSettings, *, ledger: Sequence[Numbered]) -> None:
        self._settings = settings
        self._ledger = ledger
        self._topics = topics_of(ledger)

    async def run(self, connection: Any, *, turned: Callable[[], None] = lambda: None) -> bool:
        """Judge what lies behind the acknowledged offsets; return whether a new epoch has begun.

        `turned` is called at each step: a long stretch takes a while.

        Raises KafkaError, OSError or TimeoutError where Kafka cannot be read: that is no restore, and decides nothing.
        """
        if not self._ledger:
            return False
        stored = {(row["topic"], row["partition"]): row["next_offset"] for row in await connection.fetch(STORED)}
        async with published_records(self._settings, self._topics) as records:
            turned()
            ends = await records.ends()
            stretches = _behind(stored, ends, await records.first())
            judgement = Judgement()
            async for batch in records.read(stretches) if stretches else _nothing():
                turned()
                await self._judge(connection, batch, judgement)
        moved = {place: end for place, end in ends.items() if stored.get(place) != end}
        if judgement.is_restored:
            await self._begin_epoch(connection, judgement, stretches, moved)
        elif moved:
            await connection.execute(STORE, *_columns(moved))
        return judgement.is_restored

    async def _judge(self, connection: Any, records: Sequence[Any], judgement: Judgement) -> None:
        received = [one for record in records if isinstance(one := decode(record), Received)]
        unsent = {row["fact_id"]: row for row in await connection.fetch(IN_OUTBOX, [one.fact.id for one in received])}
        others = []
        for one in received:
            row = unsent.get(one.fact.id)
            if row is None or id_in_epoch(row["fact_id"], row["epoch"]) != one.envelope.id:
                others.append(one)
            elif row["payload"] != one.record.value:
                judgement.conflicts.append(row["id"])
        judgement.missing += await self._count_missing(connection, others)

    async def _count_missing(self, connection: Any, received: Sequence[Received]) -> int:
        """Count those whose subject has no row here, or one with a smaller number. Others cannot be judged."""
        by_kind: dict[Numbered, list[Any]] = defaultdict(list)
        for one in received:
            if numbered := numbered_by(self._ledger, one.fact):
                by_kind[numbered].append(one.fact)
        missing = 0
        for numbered, facts in by_kind.items():
            known = dict(await connection.fetch(numbered.known, list({fact.subject for fact in facts})))
            missing += sum(known.get(fact.subject, 0) < fact.sequence for fact in facts)
        return missing

    async def _begin_epoch(
        self, connection: Any, judgement: Judgement, stretches: Sequence[Stretch], moved: Ends
    ) -> None:
        """Begin an epoch, which stops selling; Kafka's end is acknowledged with it, so that it begins once."""
        missing = judgement.missing + len(judgement.conflicts)
        places = orjson.dumps([[one.topic, one.partition, one.first, one.end] for one in stretches]).decode()
        async with connection.transaction():
            await connection.execute(LOCK_WAIT)
            await connection.execute(LOCK)
            epoch = await connection.fetchval(BEGIN, WHY, places, missing)
            await connection.execute(RENUMBER, epoch, judgement.conflicts)
            await connection.execute(STORE, *_columns(moved))
            await connection.execute("select pg_notify($1, '')", CHANNEL)
        log.critical("database_is_a_copy_of_before", epoch=epoch, missing_facts=missing, effect="nothing is sold")


def _behind(stored: Ends, ends: Ends, first: Ends) -> list[Stretch]:
    """Return what lies behind the acknowledged offsets; nothing of a partition that none was stored of."""
    for (topic, partition), offset in stored.items():
        if offset > ends.get((topic, partition), offset):
            log.error("topic_ends_before_what_it_acknowledged", topic=topic, partition=partition, acknowledged=offset)
    known = [(place, stored[place], end) for place, end in ends.items() if place in stored]
    return [Stretch(*place, max(offset, first.get(place, 0)), end) for place, offset, end in known if offset < end]


def _columns(offsets: Mapping[tuple[str, int], int]) -> tuple[list[str], list[int], list[int]]:
    places = sorted(offsets)
    return [topic for topic, _ in places], [number for _, number in places], [offsets[place] for place in places]


async def _nothing() -> Any:
    return
    yield
