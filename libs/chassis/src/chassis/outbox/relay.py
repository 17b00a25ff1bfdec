"""The relay: moves committed facts from the outbox to Kafka, in order, at least once.

One leader per database (session advisory lock; every replica runs one, and `RELAY` says whether the service does).
Select by id, send all, await all acknowledgements, delete what was sent: never `id > last`, since ids commit out of
order.

A fact that Kafka will never take (larger than the topic allows) is found by halving the batch. It stays in the outbox
and holds up what follows under its key, whose order is promised; all other keys go on. It is logged as critical and
counted in `billing_outbox_refused_facts` until a relay of a new process tries it again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Final

import orjson

from chassis.backoff import Backoff
from chassis.database.database import Database, ReadOnlyServer, plain_connection
from chassis.kafka.kafka import REFUSED, Producer
from chassis.outbox import outbox
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.killpoints import reached
from chassis.process.logs import get_logger
from chassis.process.process import background
from chassis.process.retrying import backs_off, counts_back_offs
from chassis.process.settings import RelayPlace, ServiceSettings
from chassis.tracing import spans

log = get_logger(__name__)

BATCH: Final = 500
POLL_SECONDS: Final = 0.5
LEADER_POLL_SECONDS: Final = 0.2
GAUGE_SECONDS: Final = 5.0
FINISH_SECONDS: Final = 5.0
"""So long may the batch at hand take at a stop: one cut off between Kafka's yes and our delete comes again."""
LOCK: Final = "quittance-relay"

SELECT: Final = """
    select id, topic, key, headers, payload, created_at from outbox
    where not exists (
        select from unnest($2::text[], $3::text[]) as held (topic, key)
        where held.topic = outbox.topic and held.key = outbox.key
    )
    order by id limit $1
"""
DELETE: Final = "delete from outbox where id = any($1::bigint[])"


class Relay:
    """Runs one leader loop; when its connection is lost another replica leads, or this one again."""

    def __init__(self, *, database: Database, settings: ServiceSettings, health: Health) -> None:
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

    def beside_a_service(self, place: RelayPlace) -> AbstractAsyncContextManager[None]:
        """Relay in the service's own process, or only measure the outbox where the relay is a process apart."""
        return self.running() if place == "inside" else self.measuring()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Relay until the block is left; the batch at hand is finished, in bounded time."""
        metrics.RELAY_LEADS.set(0)
        async with background("relay", self._run), self.measuring():
            try:
                yield
            finally:
                await self._finish()

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
        with metrics.unknown_where_it_fails(metrics.OUTBOX_ROWS, metrics.OUTBOX_OLDEST_AGE):
            async with self._database.reading() as session:
                backlog = await outbox.backlog(session)
        metrics.OUTBOX_ROWS.set(backlog.facts)
        metrics.OUTBOX_OLDEST_AGE.set(backlog.oldest_seconds)

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
        while not self._stopping.is_set():
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
        rows = await connection.fetch(SELECT, self._size, [topic for topic, _ in held], [key for _, key in held])
        if rows:
            records = [_record(row) for row in rows]
            with spans.span("relay", after=map(_trace_of, records), attributes={"facts": len(rows)}):
                try:
                    await self._send_all(records, producer)
                except REFUSED as error:
                    self._narrow_down(rows, error)
                    raise
                reached("relay.between-ack-and-delete")
                await connection.execute(DELETE, [row["id"] for row in rows])
            metrics.RELAYED.inc(len(rows))
        if len(rows) == self._size:
            return True
        self._size = BATCH
        return False

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

    async def _send_all(self, records: Sequence[dict[str, Any]], producer: Producer) -> None:
        futures = [await _send(record, producer) for record in records]
        waiting = asyncio.gather(*futures)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await asyncio.shield(waiting)
                return
            # Never sent anew while pending: the acknowledgements come when the broker does.
            self._health.beat("relay")
            log.warning("relay_waits_for_kafka", facts=len(records))

    async def _wait_for_work(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()


async def _send(record: dict[str, Any], producer: Producer) -> "asyncio.Future[Any]":
    with spans.carried_on(_trace_of(record)):
        return await producer.send(**record)


def _trace_of(record: dict[str, Any]) -> str | None:
    """Return the trace of what published the fact."""
    return next((value.decode() for name, value in record["headers"] if name == "traceparent"), None)


def _record(row: Any) -> dict[str, Any]:
    headers = [(name, value.encode()) for name, value in orjson.loads(row["headers"]).items()]
    return {"topic": row["topic"], "key": row["key"], "headers": headers, "value": row["payload"]}
