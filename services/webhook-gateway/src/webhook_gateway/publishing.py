"""Hands a record to Kafka and says yes only when all in-sync replicas have it, no when that takes too long."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from chassis.kafka import BrokerUnavailable
from chassis.killpoints import reached
from webhook_gateway.records import Record

ACK_SECONDS: Final = 5.0
"""Stripe waits longer; a record that arrives after our 503 is dropped by its id when Stripe sends the event again."""
PASSING: Final = (KafkaTimeoutError, MessageSizeTooLargeError)
"""Refused before the producer numbered the record: it is as good as before."""


class RecordProducer(Protocol):
    """What `renewing.RenewingProducer` does for us."""

    async def send(
        self, *, topic: str, key: str, headers: Sequence[tuple[str, bytes]], value: bytes
    ) -> "asyncio.Future[Any]":
        """Take the record; the future is done when it is durable. Raises BrokerUnavailable."""

    def renew(self) -> None:
        """Replace the connection's state, which a final error has spoiled."""


async def publish(record: Record, *, producer: RecordProducer, seconds: float = ACK_SECONDS) -> None:
    """Return once the record is durable. Raises BrokerUnavailable.

    A future that is given up is cancelled: aiokafka sends its record all the same, so nothing accepted is lost.
    """
    try:
        async with asyncio.timeout(seconds):
            acknowledged = await producer.send(
                topic=record.topic, key=record.key, headers=record.headers, value=record.value
            )
            reached("gateway.before-ack")
            await acknowledged
    except (BrokerUnavailable, KafkaError, TimeoutError) as error:
        if is_final(error):
            producer.renew()
        raise BrokerUnavailable(repr(error)) from error
    reached("gateway.after-ack")


def is_final(error: BaseException | None) -> bool:
    """Whether the producer cannot go on after `error`.

    An idempotent producer retries what can pass for ever, so that an error that comes out of it has left a hole in
    the partition's numbering: the broker refuses all that follows (measured with MESSAGE_TOO_LARGE on Kafka 4.3).
    """
    if isinstance(error, BrokerUnavailable):
        return is_final(error.__cause__)
    return isinstance(error, KafkaError) and not isinstance(error, PASSING)
