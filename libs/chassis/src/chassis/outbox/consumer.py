"""The consumer pattern: one batch subscriber per process, one transaction per polled batch (`chassis.outbox.applying`).

Offsets are committed after the transaction. Whatever Kafka's client raises, the consumer is made anew: no fault of a
record, of the broker or of the database ends the process.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from chassis.backoff import Backoff
from chassis.database.database import Database
from chassis.kafka.broker_check import existing_topics
from chassis.kafka.every_record import read_every_record
from chassis.kafka.kafka import METADATA_MS, security
from chassis.kafka.lag import Lag
from chassis.kafka.progress import Progress
from chassis.kafka.records import raw_records, safe_parser
from chassis.outbox import parked
from chassis.outbox.applying import Applier, Handler, Note
from chassis.outbox.fates import FATES, Fates
from chassis.outbox.parked_retries import ParkedRetries
from chassis.process import metrics
from chassis.process.health import BEAT_LIMIT, Health, NotReady
from chassis.process.killpoints import reached
from chassis.process.logs import get_logger
from chassis.process.process import background
from chassis.process.retrying import backs_off, counts_back_offs
from chassis.process.settings import ServiceSettings

__all__ = ["Consumer", "Handler"]

log = get_logger(__name__)

MAX_RECORDS: Final = 500
BATCH_TIMEOUT_MS: Final = 15
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
LAG_SECONDS: Final = 5.0
IDLE_LOOKS: Final = 4
"""Looks in a row without a partition, after which others have them; at first, none has been given out yet."""
PULSE_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 5.0
ALIVE_SECONDS: Final = BEAT_LIMIT
"""After the last beat of the pulse, /livez fails; the pulse stops LOOP_SECONDS after the loop did."""
COUNTED: Final = (
    metrics.INBOX_DUPLICATES,
    metrics.CONSUMER_STALLS,
    metrics.CONSUMER_RESTARTS,
    metrics.BATCHES_FAILED,
    metrics.FACT_IDS_REUSED,
    metrics.FACTS_MISSED,
)
"""Exported from the start: `increase()` does not see a first event that also makes the series."""
CHECK: Final = "consumer"
"""What /readyz calls the consumer's progress."""


class TaskEnded(Exception):  # noqa: N818 - named for what it says
    """The task that reads from Kafka ended by itself."""


class Consumer:
    """Reads `topics` as `group` and applies each fact once. `handle` may call `park`; FATES says what a raise means.

    With `serves` the process answers requests beside it: a stall is then reported by /readyz and does not change it.
    `note` keeps what a fact names that is set aside since applying it fails every time.
    """

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
        serves: bool = False,
        note: Note | None = None,
    ) -> None:
        self._topics = topics
        self._group = group
        self._database = database
        self._settings = settings
        self._health = health
        self._stopping = asyncio.Event()
        self._progress = Progress(group)
        self._lag = Lag(group)
        self._missing: frozenset[str] = frozenset()
        """Topics that were there, and of which Kafka shows no partition now."""
        for counter in COUNTED:
            counter.labels(group)
        counts_back_offs("consumer", "kafka", "kafka-client", "parked")
        for topic in topics:
            metrics.FACTS_UNKNOWN.labels(group, topic)
        self._applier = Applier(
            group=group,
            database=database,
            handle=handle,
            note=note,
            fates=fates,
            progress=self._progress,
            stop=self._stopping,
        )
        self._retries = ParkedRetries(group=group, database=database, handle=handle, health=health)
        self._retry_one, self._retry_parked = self._retries.retry_one, self._retries.run
        (health.inform if serves else health.check)(CHECK, self._gets_on)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Consume until the block is left; the batch at hand is finished, in bounded time."""
        read_every_record()
        async with (
            background("consumer-pulse", self._beat),
            background("consumer", self._consume),
            background("parked", self._retries.run),
        ):
            try:
                yield
            finally:
                self._stopping.set()

    async def _gets_on(self) -> bool:
        if self._missing:
            raise NotReady(f"Kafka shows no partition of {', '.join(sorted(self._missing))}: the topics' job")
        return self._progress.gets_on()

    async def _beat(self) -> None:
        """Alive, unless the loop has not run for long while database and broker answer: else a restart is no help."""
        while True:
            if not self._progress.loop_is_late or not await self._parts_answer():
                self._health.beat("consumer", limit=ALIVE_SECONDS)
            self._progress.gets_on()
            await asyncio.sleep(PULSE_SECONDS)

    async def _parts_answer(self) -> bool:
        """Asked over connections of their own: the consumer's may be what hangs, or there is none any more."""
        with suppress(Exception):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._database.ping()
                await existing_topics(self._settings)
                return True
        return False

    async def _consume(self) -> None:
        backoff = Backoff(first=0.2, limit=5)
        while True:
            self._progress.anew()
            broker, subscriber = self._subscriber()
            try:
                async with asyncio.timeout(START_SECONDS):
                    await broker.start()
                _turning(subscriber.consumer, self._progress)
                await self._watch(subscriber)
            except Exception as error:
                metrics.CONSUMER_RESTARTS.labels(self._group).inc()
                backs_off("kafka", error, consumer=self._group)
            finally:
                self._lag.forget()
                # Also when it was cancelled half-way through its start.
                await _stop(broker)
            await backoff.sleep()

    def _subscriber(self) -> tuple[KafkaBroker, Any]:
        # Set here and not on the broker: an ack policy given to a broker is not inherited by an included router.
        broker = KafkaBroker(
            self._settings.kafka_bootstrap_servers,
            security=security(self._settings),
            logger=ClientLog(self._group),
            log_level=logging.DEBUG,
            allow_auto_create_topics=False,
            consumer_only=True,
            metadata_max_age_ms=METADATA_MS,
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

    async def _on_batch(self, records: Any) -> None:  # FastStream would check what is annotated
        await self._applier.take(records)
        reached("consumer.after-commit-before-offset")

    async def _watch(self, subscriber: Any) -> None:
        """Export how the reading gets on, which FastStream has no metrics for. Raises what ended it, or TaskEnded."""
        idle = 0
        while True:
            for task in subscriber.tasks:
                if task.done():
                    raise _reason(task)
            self._note_missing(subscriber.consumer)
            await self._lag.export(subscriber.consumer)
            unread = await _unread(subscriber.consumer)
            idle = 0 if subscriber.consumer.assignment() else idle + 1
            if idle >= IDLE_LOOKS:
                self._progress.lags(0)
            elif unread is not None:
                self._progress.lags(unread)
            await self._export_parked()
            await asyncio.wait(subscriber.tasks, timeout=LAG_SECONDS, return_when=asyncio.FIRST_COMPLETED)

    def _note_missing(self, consumer: Any) -> None:
        missing = frozenset(topic for topic in self._topics if not consumer.partitions_for_topic(topic))
        for topic in sorted(missing - self._missing):
            log.error("topic_missing", consumer=self._group, topic=topic)
        for topic in sorted(self._missing - missing):
            log.info("topic_is_back", consumer=self._group, topic=topic)
        self._missing = missing

    async def _export_parked(self) -> None:
        gauge = metrics.PARKED_ITEMS.labels(self._group)
        with suppress(Exception), metrics.unknown_where_it_fails(gauge):
            async with self._database.reading() as session:
                gauge.set(await parked.count_open(session, consumer=self._group))


class ClientLog:
    """What FastStream says of errors, as lines of our log. The batch comes again, or the consumer is made anew."""

    def __init__(self, group: str) -> None:
        self._group = group

    def log(self, level: int, msg: Any, /, *, exc_info: Any = None, extra: Any = None) -> None:  # noqa: ARG002
        """FastStream's LoggerProto."""
        if level < logging.ERROR:
            return
        if isinstance(exc_info, BaseException):
            backs_off("kafka-client", exc_info, consumer=self._group, said=str(msg)[:200])
        else:
            log.error("kafka_client", consumer=self._group, said=str(msg)[:500])


def _turning(consumer: Any, progress: Progress) -> None:
    """Have the consumer say at each fetch that its loop runs."""
    getmany = consumer.getmany

    async def turning(*partitions: Any, **options: Any) -> Any:
        progress.turned()
        return await getmany(*partitions, **options)

    consumer.getmany = turning


def _reason(task: "asyncio.Task[Any]") -> BaseException:
    return (None if task.cancelled() else task.exception()) or TaskEnded("the task that reads from Kafka ended")


async def _unread(consumer: Any) -> int | None:
    """Return how many records lie behind our positions; None where no partition of ours says so."""
    unread = [await _unread_of(consumer, partition) for partition in consumer.assignment()]
    known = [records for records in unread if records is not None]
    return sum(known) if known else None


async def _unread_of(consumer: Any, partition: Any) -> int | None:
    end = consumer.highwater(partition)
    if end is None:
        return None
    with suppress(Exception):
        return int(end - await asyncio.wait_for(consumer.position(partition), 1))
    return None


async def _stop(broker: KafkaBroker) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS + 5):
            await broker.stop()
    except Exception as error:
        log.warning("kafka_consumer_not_stopped", error=repr(error)[:300])
