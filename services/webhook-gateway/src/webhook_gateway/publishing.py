"""Hands a record to Kafka and says yes only when all in-sync replicas have it, no when that takes too long."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from chassis.kafka.kafka import BrokerUnavailable
from chassis.process.killpoints import reached
from webhook_gateway.deadlines import Deadlines
from webhook_gateway.stripe_events.records import Record

ACK_SECONDS: Final = 5.0
"""Stripe waits longer; a record that arrives after our 503 is dropped by its id when Stripe sends the event again."""
PASSING: Final = (KafkaTimeoutError, MessageSizeTooLargeError)
"""Refused before the producer numbered the record: it is as good as before."""


class RecordProducer(Protocol):
    """What `broker.BrokerConnection` does for us."""

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
        if not isinstance(error, PASSING):
            producer.renew()
        raise BrokerUnavailable(repr(error)) from error
    reached("gateway.after-ack")
