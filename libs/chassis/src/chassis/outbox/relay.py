"""The relay: moves committed facts from the outbox to Kafka, in order, at least once.

One leader per database (session advisory lock; every replica runs one, and `RELAY` says whether the service does).
Select by id, send all, await all acknowledgements, delete what was sent: never `id > last`, since ids commit out of
order. With the delete the offsets are stored that Kafka acknowledged: what lies behind them is judged at each start, at
each reconnect and every CHECK_SECONDS (`chassis.recovery.restored`), before anything is sent.

A fact that Kafka will never take (larger than the topic allows) is found by halving the batch. It stays in the outbox
and holds up what follows under its key, whose order is promised; all other keys go on. It is logged as critical and
counted in `billing_outbox_refused_facts` until a relay of a new process tries it again. A topic that takes nothing
holds up its own facts alone (`chassis.kafka.sending`); the relay says which, and is not ready.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

import orjson

from chassis.backoff import Backoff
from chassis.database.database import Database, ReadOnlyServer, plain_connection
from chassis.kafka.kafka import REFUSED, Producer
from chassis.kafka.sending import ClosedTopics, Sending, TopicsTakeNothing, trace_of
from chassis.outbox import outbox
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.killpoints import reached
from chassis.process.logs import get_logger
from chassis.process.process import background
from chassis.process.retrying import backs_off, counts_back_offs
from chassis.process.settings import RelayPlace, ServiceSettings
from chassis.recovery import epochs
from chassis.recovery.numbered import Numbered
from chassis.recovery.restored import RestoreCheck
from chassis.tracing import spans

log = get_logger(__name__)

BATCH: Final = 500
POLL_SECONDS: Final = 0.5
LEADER_POLL_SECONDS: Final = 0.2
GAUGE_SECONDS: Final = 5.0
CHECK_SECONDS: Final = 30.0
"""Between two looks at what lies on Kafka behind the acknowledged offsets."""
FINISH_SECONDS: Final = 5.0
"""So long may the batch at hand take at a stop: one cut off between Kafka's yes and our delete comes again."""
LOCK: Final = "quittance-relay"
GAUGES: Final = (
    metrics.OUTBOX_ROWS,
    metrics.OUTBOX_OLDEST_AGE,
    metrics.PUBLISHED_NOT_IN_LEDGER,
    metrics.RECOVERY_SECONDS,
)
CHECK: Final = "relay"
"""What /readyz calls the topics that take nothing."""

SELECT: Final = """
    select id, fact_id, epoch, topic, key, headers, payload, created_at from outbox
    where not exists (
        select from unnest($2::text[], $3::text[]) as held (topic, key)
        where held.topic = outbox.topic and held.key = outbox.key
    )
    and topic <> all($4::text[])
    order by id limit $1
"""
_DELETE: Final = """
    with sent as (delete from outbox where id = any($1::bigint[]){kept}
    insert into relay_offsets (topic, partition, next_offset)
    select * from unnest($2::text[], $3::int[], $4::bigint[]) as acknowledged (topic, partition, next_offset)
    order by topic, partition
    on conflict (topic, partition)
        do update set next_offset = greatest(relay_offsets.next_offset, excluded.next_offset)
"""
DELETE: Final = _DELETE.format(kept=")")
KEEP_AND_DELETE: Final = _DELETE.format(
    kept=""" returning *),
    kept as (
        insert into sent_facts (fact_id, epoch, topic, key, headers, payload)
        select fact_id, epoch, topic, key, headers, payload from sent where topic = any($5::text[]) order by id
    )"""
)


class Relay:
    """Runs one leader loop; when its connection is lost another replica leads, or this one again."""

    def __init__(
        self,
        *,
        database: Database,
        settings: ServiceSettings,
        health: Health,
        ledger: Sequence[Numbered] = (),
        keeps: Collection[str] = (),
    ) -> None:
        """`ledger`: which rows number the facts that are sent; without it a restored copy is not noticed.

        Of the topics that it `keeps`, what was sent goes to `sent_facts`: Kafka may lose it.
        """
        self._keeps = sorted(keeps)
        self._restore_check = RestoreCheck(settings, ledger=ledger)
        self._database = database
        self._settings = settings
        self._health = health
        counts_back_offs("relay")
        self._wake = database.event(outbox.CHANNEL)
        self._size = BATCH
        self._stopping = asyncio.Event()
        self._between_batches = asyncio.Event()
        self._between_batches.set()
        self._held: set[tuple[str, str]] = set()
        """Topics and keys that a refused fact holds up."""
        self._closed = ClosedTopics()
        self._sending = Sending(self._closed, turned=lambda: health.beat("relay"))

    def beside_a_service(self, place: RelayPlace, *, serves: bool = False) -> AbstractAsyncContextManager[None]:
        """Relay in the service's own process, or only measure the outbox where the relay is a process apart."""
        return self.running(serves=serves) if place == "inside" else self.measuring()

    @asynccontextmanager
    async def running(self, *, serves: bool = False) -> AsyncIterator[None]:
        """Relay until the block is left; the batch at hand is finished, in bounded time.

        With `serves` the process answers requests beside it: /readyz then reports a topic that takes nothing, only.
        """
        metrics.RELAY_LEADS.set(0)
        (self._health.inform if serves else self._health.check)(CHECK, self._closed.check)
        async with background("relay", self._run), self.measuring():
            try:
                yield
            finally:
                await self._finish()
                self._closed.forget()

    async def _finish(self) -> None:
        self._stopping.set()
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_SECONDS):
                await self._between_batches.wait()

    @asynccontextmanager
    async def measuring(self) -> AsyncIterator[None]:
        """Export what waits in the outbox until the block is left."""
        async with background("outbox-gauge", self._gauge):
            yield

    async def _gauge(self) -> None:
        """Every replica measures the outbox, whoever leads: a relay that hangs must not hide what piles up."""
        while True:
            self._health.beat("outbox-gauge")
            with suppress(Exception):
                await self._export_backlog()
            await asyncio.sleep(GAUGE_SECONDS)

    async def _export_backlog(self) -> None:
        with metrics.unknown_where_it_fails(*GAUGES):
            async with self._database.reading() as session:
                backlog, recovery = await outbox.backlog(session), await epochs.state(session)
        metrics.OUTBOX_ROWS.set(backlog.facts)
        metrics.OUTBOX_OLDEST_AGE.set(backlog.oldest_seconds)
        metrics.PUBLISHED_NOT_IN_LEDGER.set(recovery.missing_facts)
        metrics.RECOVERY_SECONDS.set(recovery.seconds)

    async def _run(self) -> None:
        backoff = Backoff(first=0.1, limit=5)
        while not self._stopping.is_set():
            self._health.beat("relay")
            try:
                # The producer goes with the connection: a leader that lost its lock must not have sends in flight.
                async with (
                    plain_connection(self._database.url, name="relay") as connection,
                    Producer(self._settings) as producer,
                ):
                    await self._lead(connection, producer, backoff)
            except Exception as error:  # whatever it is, the facts wait in the outbox for the next attempt
                backs_off("relay", error)
            await backoff.sleep()

    async def _lead(self, connection: Any, producer: Producer, backoff: Backoff) -> None:
        if await connection.fetchval("show transaction_read_only") == "on":
            raise ReadOnlyServer("what is sent could not be deleted here, and would be sent again and again")
        await connection.add_listener(outbox.CHANNEL, lambda *_: self._wake.set())
        while not await connection.fetchval("select pg_try_advisory_lock(hashtext($1))", LOCK):
            self._closed.forget()  # another process sends, and says what takes nothing
            self._health.beat("relay")
            await asyncio.sleep(LEADER_POLL_SECONDS)
        while not producer.connected:
            self._health.beat("relay")
            await asyncio.sleep(0.05)
        log.info("relay_leads")
        metrics.RELAY_LEADS.set(1)
        try:
            await self._relay_batches(connection, producer, backoff)
        finally:
            metrics.RELAY_LEADS.set(0)

    async def _relay_batches(self, connection: Any, producer: Producer, backoff: Backoff) -> None:
        check_at = 0.0
        while not self._stopping.is_set():
            self._health.beat("relay")
            if time.monotonic() >= check_at:
                await self._restore_check.run(connection, turned=partial(self._health.beat, "relay"))
                check_at = time.monotonic() + CHECK_SECONDS
                metrics.COMPARED_AT.set_to_current_time()
                self._health.beat("relay")
            self._wake.clear()
            self._between_batches.clear()
            try:
                is_full = await self._relay_batch(connection, producer)
            finally:
                self._between_batches.set()
            backoff.reset()
            if not is_full:
                await self._wait_for_work()

    async def _relay_batch(self, connection: Any, producer: Producer) -> bool:
        """Return whether the batch was full, so that there may be more."""
        held = sorted(self._held)
        topics, keys = [topic for topic, _ in held], [key for _, key in held]
        rows = await connection.fetch(SELECT, self._size, topics, keys, self._closed.waiting())
        if rows:
            records = [_record(row) for row in rows]
            with spans.span("relay", after=map(trace_of, records), attributes={"facts": len(rows)}):
                try:
                    sent = await self._sending.send(records, producer)
                except REFUSED as error:
                    self._narrow_down(rows, error)
                    raise
                reached("relay.between-ack-and-delete")
                done = [row["id"] for row, place in zip(rows, sent.places, strict=True) if place]
                await self._delete(connection, done, sent.places)
            metrics.RELAYED.inc(len(done))
            if sent.spent:
                raise TopicsTakeNothing("made anew without what it holds for a topic that takes nothing")
        if len(rows) == self._size:
            return True
        self._size = BATCH
        return False

    async def _delete(self, connection: Any, done: Sequence[int], places: Sequence[Any]) -> None:
        acknowledged = _acknowledged(places)
        if self._keeps:
            await connection.execute(KEEP_AND_DELETE, done, *acknowledged, self._keeps)
        else:
            await connection.execute(DELETE, done, *acknowledged)

    def _narrow_down(self, rows: Sequence[Any], error: Exception) -> None:
        """One of `rows` can never be sent. Half as many next time; a single one holds its key."""
        self._size = len(rows) // 2
        if len(rows) == 1:
            [row] = rows
            self._size = BATCH
            self._held.add((row["topic"], row["key"]))
            metrics.OUTBOX_REFUSED.set(len(self._held))
            log.critical(
                "fact_refused_by_kafka",
                outbox_id=row["id"],
                topic=row["topic"],
                key=row["key"],
                bytes=len(row["payload"]),
                error=repr(error),
                effect="this fact and all later ones with its topic and key wait in the outbox",
                remedy="raise the topic's max.message.bytes, or take the row out of the outbox; then restart",
            )

    async def _wait_for_work(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()


def _acknowledged(sent: Sequence[Any]) -> tuple[list[str], list[int], list[int]]:
    """Return topics, partitions and the offsets behind what was sent; Kafka may have none for what came to it twice."""
    ends: dict[tuple[str, int], int] = {}
    for place in sent:
        if place is not None and place.offset >= 0:
            ends[place.topic, place.partition] = max(place.offset + 1, ends.get((place.topic, place.partition), 0))
    return [topic for topic, _ in ends], [number for _, number in ends], list(ends.values())


def _record(row: Any) -> dict[str, Any]:
    stated = orjson.loads(row["headers"]) | {"ce_id": str(epochs.id_in_epoch(row["fact_id"], row["epoch"]))}
    headers = [(name, value.encode()) for name, value in stated.items()]
    return {"topic": row["topic"], "key": row["key"], "headers": headers, "value": row["payload"]}
