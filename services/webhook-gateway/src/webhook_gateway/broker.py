"""The way to Kafka: a record handed over and confirmed in time, and the connection that is renewed behind it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol, Self
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from chassis.backoff import Backoff
from chassis.kafka.kafka import BrokerUnavailable
from chassis.process.health import Health
from chassis.process.killpoints import reached
from chassis.process.logs import get_logger
from webhook_gateway.deadlines import Deadlines
from webhook_gateway.stripe_events.records import Record

log = get_logger(__name__)

MAX_BATCH_BYTES: Final = 1 << 20
"""Measured: with aiokafka's default of 16 KiB the p99 at c=64 is 21 ms, with this 8 ms."""
REQUEST_MS: Final = 5_000
STOP_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 30.0
"""For each attempt to connect, which tries all brokers."""
CONNECTING: Final = "kafka-connection"
"""The one loop of the gateway, which runs while it has no connection."""
PAUSE_SECONDS: Final = 1.0
"""Between two replacements: an error that comes back at once must not make a storm of connections."""
ACK_SECONDS: Final = 5.0
"""Stripe waits longer; a record that arrives after our 503 is dropped by its id when Stripe sends the event again."""
TRANSIENT: Final = (KafkaTimeoutError, MessageSizeTooLargeError)
"""Refused before the producer numbered the record: it is as good as before."""


class RecordProducer(Protocol):
    """What `BrokerConnection` does for us."""

    async def send(
        self, *, topic: str, key: bytes, headers: Sequence[tuple[str, bytes]], value: bytes
    ) -> "asyncio.Future[Any]":
        """Take the record; the future is done when it is durable."""

    def renew(self) -> None:
        """Replace the connection's state, which a final error has spoiled."""


async def publish(record: Record, *, producer: RecordProducer, deadlines: Deadlines) -> None:
    """Return once the record is durable. Raises BrokerUnavailable.

    A future that is given up is cancelled: aiokafka sends its record all the same, so nothing accepted is lost.
    """
    try:
        with deadlines.within(ACK_SECONDS):
            acknowledged = await producer.send(
                topic=record.topic, key=record.key, headers=record.headers, value=record.value
            )
            reached("gateway.before-ack")
            await acknowledged
    except TimeoutError as error:
        raise BrokerUnavailable("no acknowledgement in time") from error
    except KafkaError as error:
        if not isinstance(error, TRANSIENT):
            producer.renew()
        raise BrokerUnavailable(repr(error)) from error
    reached("gateway.after-ack")


class Connected(NamedTuple):
    """A producer that has met its broker, and how many partitions its topic has there.

    Partitions that are added later get records once we connect anew: a key's partition is locality only.
    """

    producer: AIOKafkaProducer
    partitions: int


Connect = Callable[[], Awaitable[Connected]]


def partition_of(key: bytes, *, partitions: int) -> int:
    """Return the partition of `key`. Asking aiokafka costs 8 µs a record: murmur2 in Python, and two sets."""
    return crc32(key) % partitions


def connect_with(options: dict[str, Any], *, topic: str) -> Connect:
    """Return what makes one connected producer that knows `topic`; raises when it cannot."""

    async def connect() -> Connected:
        producer = AIOKafkaProducer(
            **options,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=MAX_BATCH_BYTES,
            request_timeout_ms=REQUEST_MS,
        )
        try:
            await producer.start()
            partitions = len(await producer.partitions_for(topic))
        except BaseException:
            await stopped(producer)
            raise
        return Connected(producer, partitions)

    return connect


class BrokerConnection:
    """A raw idempotent producer, `acks=all`; nothing between it and the hot path but one attribute."""

    def __init__(self, connect: Connect, *, health: Health | None = None) -> None:
        self._connect = connect
        self._health = health or Health()
        self._connected: Connected | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._not_before = 0.0

    async def __aenter__(self) -> Self:
        self._connecting = asyncio.create_task(self._keep_trying())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connecting:
            self._connecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._connecting
        if self._connected:
            await stopped(self._connected.producer)

    @property
    def connected(self) -> bool:
        """Return whether a broker has been met."""
        return self._connected is not None

    async def send(
        self, *, topic: str, key: bytes, headers: Sequence[tuple[str, bytes]], value: bytes
    ) -> "asyncio.Future[Any]":
        """Take the record; the future is done when all in-sync replicas have it. Unbounded: the caller sets a limit."""
        if self._connected is None:
            raise BrokerUnavailable("not connected to Kafka yet")
        producer, partitions = self._connected
        partition = partition_of(key, partitions=partitions)
        future: asyncio.Future[Any] = await producer.send(topic, value, key=key, partition=partition, headers=headers)
        return future

    def renew(self) -> None:
        """Put a fresh producer in place of a spoiled one, unless that is under way or has just been done."""
        now = time.monotonic()
        if self._connecting is None or not self._connecting.done() or now < self._not_before:
            return
        log.error("kafka_producer_renewed", reason="a final error left a hole in its numbering")
        self._not_before = now + PAUSE_SECONDS
        self._connecting = asyncio.create_task(self._keep_trying())

    async def _keep_trying(self) -> None:
        spoiled, self._connected = self._connected, None
        if spoiled:
            await stopped(spoiled.producer)
        backoff = Backoff(first=0.2, limit=5)
        while self._connected is None:
            self._health.beat(CONNECTING)
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    self._connected = await self._connect()
            except Exception as error:  # whatever it is, giving up would mean 503 for ever
                log.warning("kafka_unreachable", error=repr(error))
                await backoff.sleep()
        self._health.forget(CONNECTING)


async def stopped(producer: AIOKafkaProducer) -> None:
    """Flush and leave; a dead broker cannot hold us for longer than STOP_SECONDS."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await producer.stop()
    except Exception as error:  # whatever it is: who stops one to make another has to get on
        log.warning("kafka_producer_stopped_unflushed", error=repr(error)[:300])
