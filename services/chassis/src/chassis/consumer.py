"""The consumer pattern: one batch subscriber per process, one transaction per polled batch.

Inbox and effect commit together; passing faults are waited out in the handler; a batch that cannot be applied is
halved down to the poison record, which is parked. Offsets are committed after the transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import UUID

from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import inbox, metrics, parked
from chassis.backoff import Backoff
from chassis.database import Database
from chassis.fates import FATES, Fate, Fates, fate_of, is_too_much
from chassis.health import Health
from chassis.kafka import security
from chassis.killpoints import reached
from chassis.logs import get_logger
from chassis.process import background
from chassis.records import Malformed, Received, Record, decode, raw_records, safe_parser
from chassis.settings import ServiceSettings

log = get_logger(__name__)

MAX_RECORDS: Final = 500
BATCH_TIMEOUT_MS: Final = 15
SESSION_TIMEOUT_MS: Final = 30_000
STOP_SECONDS: Final = 20.0
LAG_SECONDS: Final = 5.0
PARKED_POLL_SECONDS: Final = 1.0

Handler = Callable[[AsyncSession, Sequence[Received]], Awaitable[None]]
"""Applies the facts of one batch, in order, in the transaction that it is given."""


class Consumer:
    """Reads `topics` as `group` and applies each fact once. `handle` may call `park`; FATES says what a raise means."""

    def __init__(
        self,
        *,
        topics: Sequence[str],
        group: str,
        database: Database,
        handle: Handler,
        settings: ServiceSettings,
        health: Health,
        fates: Fates = FATES,
    ) -> None:
        self._topics = topics
        self._group = group
        self._database = database
        self._handle = handle
        self._settings = settings
        self._health = health
        self._fates = fates
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Consume until the block is left; the batch at hand is finished, in bounded time."""
        async with (
            background("consumer", self._consume),
            background("parked", self._retry_parked),
        ):
            try:
                yield
            finally:
                self._stopping.set()

    async def _consume(self) -> None:
        backoff = Backoff(first=0.2, limit=5)
        while True:
            self._health.beat("consumer")
            broker, subscriber = self._subscriber()
            try:
                await broker.start()
                await self._watch(subscriber)
            except (KafkaError, OSError) as error:
                log.warning("kafka_unreachable", error=repr(error))
            finally:
                # Also when it was cancelled half-way through its start.
                await _stop(broker)
            await backoff.sleep()

    def _subscriber(self) -> tuple[KafkaBroker, Any]:
        # Set here and not on the broker: an ack policy given to a broker is not inherited by an included router.
        broker = KafkaBroker(
            self._settings.kafka_bootstrap_servers,
            security=security(self._settings),
            logger=None,
            allow_auto_create_topics=False,
            consumer_only=True,
            graceful_timeout=STOP_SECONDS,
        )
        subscriber = broker.subscriber(
            *self._topics,
            group_id=self._group,
            batch=True,
            max_records=MAX_RECORDS,
            batch_timeout_ms=BATCH_TIMEOUT_MS,
            fetch_max_wait_ms=self._settings.kafka_fetch_max_wait_ms,
            session_timeout_ms=self._settings.kafka_session_timeout_ms,
            heartbeat_interval_ms=self._settings.kafka_session_timeout_ms // 10,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            parser=safe_parser,
            decoder=raw_records,
        )
        subscriber(self._on_batch)
        return broker, subscriber

    async def _watch(self, subscriber: Any) -> None:
        """Beat while the consumer's own loop turns, and export the lag, which FastStream has no metric for."""
        while True:
            await _export_lag(self._group, subscriber.consumer)
            await self._export_parked()
            if not any(task.done() for task in subscriber.tasks):
                self._health.beat("consumer")
            await asyncio.sleep(LAG_SECONDS)

    async def _export_parked(self) -> None:
        with suppress(DBAPIError, OSError, TimeoutError):
            async with self._database.reading() as session:
                metrics.PARKED_ITEMS.labels(self._group).set(await parked.count_open(session, consumer=self._group))

    async def _on_batch(self, records: Any) -> None:
        decoded = [decode(record) for record in records]
        malformed = [one for one in decoded if isinstance(one, Malformed)]
        await self._set_aside(malformed)
        await self._apply([one for one in decoded if isinstance(one, Received)])
        reached("consumer.after-commit-before-offset")

    async def _set_aside(self, malformed: Sequence[Malformed]) -> None:
        if malformed:
            await self._until_done(lambda session: parked.park_malformed(session, malformed, consumer=self._group))
            _log_parked([one.record for one in malformed], malformed[0].reason)

    async def _apply(self, batch: Sequence[Received]) -> None:
        if not batch:
            return
        try:
            await self._until_done(lambda session: self._apply_fresh(session, batch), can_halve=len(batch) > 1)
        except _CannotApply as failure:
            await self._bisect(batch, failure.error)

    async def _bisect(self, batch: Sequence[Received], error: Exception) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._apply(batch[:middle])
            await self._apply(batch[middle:])
            return
        await self._until_done(lambda session: self._park_poison(session, batch[0], error))
        _log_parked([batch[0].record], repr(error))

    async def _apply_fresh(self, session: AsyncSession, batch: Sequence[Received]) -> None:
        ids = [received.envelope.id for received in batch]
        new = await inbox.take(session, consumer=self._group, fact_ids=ids)
        fresh = [received for received in _first_of_each(batch) if received.envelope.id in new]
        metrics.INBOX_DUPLICATES.labels(self._group).inc(len(batch) - len(fresh))
        if fresh:
            await self._handle(session, fresh)
            reached("consumer.inside-transaction")

    async def _park_poison(self, session: AsyncSession, received: Received, error: Exception) -> None:
        await inbox.take(session, consumer=self._group, fact_ids=[received.envelope.id])
        await parked.park(session, received, consumer=self._group, reason=repr(error)[:1000])

    async def _until_done(self, work: Callable[[AsyncSession], Awaitable[None]], *, can_halve: bool = False) -> None:
        """One transaction, repeated while its fault is a passing one.

        Raises _CannotApply for one that stays, and for one that half as much may not meet, if it can be halved.
        """
        backoff = Backoff(first=0.05, limit=5)
        while True:
            try:
                async with self._database.transaction() as session:
                    await work(session)
            except Exception as error:
                if fate_of(error, self._fates) is Fate.PARK or (can_halve and is_too_much(error)):
                    raise _CannotApply(error) from error
                await self._wait_out(error, backoff)
            else:
                return

    async def _wait_out(self, error: Exception, backoff: Backoff) -> None:
        log.warning("batch_retried", consumer=self._group, error=repr(error)[:500])
        self._health.beat("consumer")
        with suppress(TimeoutError):
            async with asyncio.timeout(backoff.delay()):
                await self._stopping.wait()
            raise error  # not acknowledged: the next process reads the batch again

    async def _retry_parked(self) -> None:
        wake = self._database.event(parked.CHANNEL)
        while True:
            self._health.beat("parked")
            wake.clear()
            try:
                again = await self._retry_one()
            except Exception as error:
                log.warning("parked_retry_failed", consumer=self._group, error=repr(error)[:500])
                again = False
            if not again:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PARKED_POLL_SECONDS):
                        await wake.wait()

    async def _retry_one(self) -> bool:
        """Try one parked fact again; it stays parked when the handler parks it again or raises."""
        due: parked.ParkedFact | None = None
        try:
            async with self._database.transaction() as session:
                due = await parked.take_due(session, consumer=self._group)
                if due is not None:
                    await self._handle(session, [_readable(due.record)])
        except Exception as error:
            if due is None or fate_of(error, self._fates) is Fate.RETRY:
                raise
            async with self._database.transaction() as session:
                await parked.postpone(session, parked_id=due.id, reason=repr(error)[:1000])
        return due is not None


class _CannotApply(Exception):  # noqa: N818
    def __init__(self, error: Exception) -> None:
        super().__init__(repr(error))
        self.error = error


class StillUnreadable(ValueError):  # noqa: N818 - named for what it says
    """A parked record that held no readable fact still holds none."""


def _readable(record: Record) -> Received:
    received = decode(record)
    if not isinstance(received, Received):
        raise StillUnreadable(received.reason if received else "unknown fact type")
    return received


def _first_of_each(batch: Sequence[Received]) -> list[Received]:
    first: dict[UUID, Received] = {}
    for received in batch:
        first.setdefault(received.envelope.id, received)
    return list(first.values())


def _log_parked(records: Sequence[Record], reason: str) -> None:
    for record in records:
        log.error("parked", topic=record.topic, partition=record.partition, offset=record.offset, reason=reason[:500])


async def _export_lag(group: str, consumer: Any) -> None:
    for partition in consumer.assignment() if consumer else ():
        end = consumer.highwater(partition)
        if end is not None:
            with suppress(Exception):
                position = await asyncio.wait_for(consumer.position(partition), 1)
                metrics.CONSUMER_LAG.labels(group, partition.topic, str(partition.partition)).set(end - position)


async def _stop(broker: KafkaBroker) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS + 5):
            await broker.stop()
