"""Kafka's connection settings and a producer that says no in bounded time when the broker is gone."""

import asyncio
import ssl
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from chassis.backoff import Backoff
from chassis.kafka.renewed_tls import RenewedTls
from chassis.process import metrics
from chassis.process.logs import get_logger
from chassis.process.settings import ServiceSettings

log = get_logger(__name__)

ACK_SECONDS: Final = 5.0
STOP_SECONDS: Final = 5.0
MAX_BATCH_BYTES: Final = 1 << 20
METADATA_MS: Final = 10_000
"""A topic or partition that came or went is noticed so much later at most; aiokafka's own is five minutes."""
SASL: Final = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
REFUSED: Final = (MessageSizeTooLargeError, RecordListTooLargeError)
"""Said of the record itself, by us or by the broker: sending it again can never help."""
Headers = Sequence[tuple[str, bytes]]


class BrokerUnavailable(Exception):  # noqa: N818 - named for what it says
    """Kafka did not confirm the record in time. It may still arrive: consumers drop what they know by its id."""


def security(settings: ServiceSettings) -> BaseSecurity | None:
    """Return how we prove ourselves to the broker; None in a trusted network."""
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return None
    tls = tls_context(settings) if protocol.endswith("SSL") else None
    if not protocol.startswith("SASL"):
        return BaseSecurity(ssl_context=tls)
    return SASL[settings.kafka_security_mechanism](
        username=settings.kafka_security_username,
        password=settings.kafka_security_password.get_secret_value(),
        ssl_context=tls,
    )


def tls_context(settings: ServiceSettings) -> ssl.SSLContext:
    """Return what a connection is encrypted with: our certificate as it is when the connection is made.

    The broker's certificate is checked, and its name. Raises OSError, also for what is no certificate or key.
    """
    # Always a password, and if empty: without one OpenSSL would ask the terminal for it.
    password = settings.kafka_security_keyfile_password.get_secret_value
    return RenewedTls(
        settings.kafka_security_cafile, settings.kafka_security_certfile, settings.kafka_security_keyfile, password
    )


def connection(settings: ServiceSettings) -> dict[str, Any]:
    """aiokafka's connection arguments."""
    return {"bootstrap_servers": settings.kafka_bootstrap_servers, **parse_security(security(settings))}


class Producer:
    """An idempotent producer, `acks=all`. It connects by itself, also when the broker comes up after we did.

    A dead broker leaves aiokafka's idempotent sends pending for ever and its `stop()` hanging: both are bounded here.
    One final error of the broker leaves a hole in the numbering of its partition, and all later sends to it fail:
    whoever meets a KafkaError that is not a lack of time throws this producer away, as the relay does.
    """

    def __init__(self, settings: ServiceSettings, *, ack_seconds: float = ACK_SECONDS) -> None:
        self._settings = settings
        self._ack_seconds = ack_seconds
        self._producer: AIOKafkaProducer | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._topics: frozenset[str] = frozenset()
        self._topics_until = 0.0
        metrics.LOOP_BACKOFFS.labels("kafka-producer", "connection")

    async def __aenter__(self) -> Self:
        self._connecting = asyncio.create_task(self._connect())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def connected(self) -> bool:
        """Whether the first connection has been made."""
        return self._producer is not None

    async def wait_connected(self) -> None:
        """Return once the broker has answered for the first time."""
        if self._connecting:
            await asyncio.shield(self._connecting)

    async def send(self, *, topic: str, key: str, headers: Headers, value: bytes) -> "asyncio.Future[Any]":
        """Hand the record over; the future is done when all in-sync replicas have it.

        Raises BrokerUnavailable, or one of REFUSED for a record that is too large.
        """
        if self._producer is None:
            raise BrokerUnavailable("not connected to Kafka yet")
        try:
            async with asyncio.timeout(self._ack_seconds):
                future: asyncio.Future[Any] = await self._producer.send(
                    topic, value, key=key.encode(), headers=list(headers)
                )
        except REFUSED:
            raise
        except (KafkaError, TimeoutError) as error:
            raise BrokerUnavailable(str(error) or "no room or no metadata in time") from error
        return future

    async def produce(self, *, topic: str, key: str, headers: Headers, value: bytes) -> None:
        """Return once Kafka has the record durably. Raises BrokerUnavailable."""
        future = await self.send(topic=topic, key=key, headers=headers, value=value)
        try:
            async with asyncio.timeout(self._ack_seconds):
                await asyncio.shield(future)
        except (KafkaError, TimeoutError) as error:
            future.add_done_callback(retrieved)
            raise BrokerUnavailable(str(error) or "no acknowledgement in time") from error

    async def missing(self, topics: Collection[str], *, anew: bool = False) -> frozenset[str]:
        """Return those of `topics` that Kafka has not, or does not let us see. Raises BrokerUnavailable.

        Asked at most every METADATA_MS while none is missing, and `anew` in any case. All topics are asked for: a
        question about one by its name would make it.
        """
        if anew or time.monotonic() > self._topics_until or not self._topics.issuperset(topics):
            if self._producer is None:
                raise BrokerUnavailable("not connected to Kafka yet")
            try:
                async with asyncio.timeout(self._ack_seconds):
                    self._topics = frozenset((await self._producer.client.fetch_all_metadata()).topics())
            except (KafkaError, TimeoutError) as error:
                raise BrokerUnavailable(str(error) or "no metadata in time") from error
            self._topics_until = time.monotonic() + METADATA_MS / 1000
        return frozenset(topics) - self._topics

    async def stop(self) -> None:
        """Flush and leave; a dead broker cannot hold us for longer than STOP_SECONDS."""
        if self._connecting:
            self._connecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._connecting
        if self._producer is not None:
            await _stop(self._producer)
            self._producer = None

    async def _connect(self) -> None:
        backoff = Backoff(first=0.2, limit=5)
        while True:
            producer = AIOKafkaProducer(
                **connection(self._settings),
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                max_batch_size=MAX_BATCH_BYTES,
                request_timeout_ms=10_000,
                metadata_max_age_ms=METADATA_MS,
            )
            try:
                await producer.start()
            except asyncio.CancelledError:
                await _stop(producer)
                raise
            except Exception as error:  # whatever it is, giving up would mean to be disconnected for ever
                metrics.LOOP_BACKOFFS.labels("kafka-producer", "connection").inc()
                log.warning("kafka_unreachable", error=repr(error))
                await _stop(producer)
                await backoff.sleep()
            else:
                self._producer = producer
                return


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await producer.stop()
    except Exception as error:
        log.warning("kafka_producer_stopped_unflushed", error=repr(error)[:300])


def retrieved(future: "asyncio.Future[Any]") -> None:
    """Retrieve the record's late fate, which interests nobody: else asyncio logs it as forgotten."""
    if not future.cancelled():
        future.exception()
