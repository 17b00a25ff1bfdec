"""Sends many records at once; a topic that takes none holds up its own facts, and no others.

A topic that Kafka has not, or does not let us see, is known by its absence before anything is sent to it, and again
while an acknowledgement is late. One that is there and acknowledges nothing for STUCK_SECONDS, while the broker
answers, is closed too. What the producer holds for it may still arrive: the producer goes, and the facts come again.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    LeaderNotAvailableError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from chassis.backoff import Backoff
from chassis.kafka.kafka import REFUSED, BrokerUnavailable, Producer, retrieved
from chassis.process import metrics
from chassis.process.health import NotReady
from chassis.process.logs import get_logger
from chassis.tracing import spans

log = get_logger(__name__)

LOOK_SECONDS: Final = 1.0
STUCK_SECONDS: Final = 15.0
FIRST_AGAIN_SECONDS: Final = 1.0
LAST_AGAIN_SECONDS: Final = 10.0
MISSING: Final = "Kafka has no such topic, or does not let us see it: the topics' job"
OF_A_TOPIC: Final[tuple[type[KafkaError], ...]] = (
    InvalidTopicError,
    LeaderNotAvailableError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
"""Said of one topic, whatever becomes of the others."""


class TopicsTakeNothing(BrokerUnavailable):
    """Some topics acknowledge nothing; the producer holds what it may still send to them, and has to go."""


@dataclass(slots=True)
class _Closed:
    reason: str
    backoff: Backoff
    again_at: float


class ClosedTopics:
    """The topics that take no fact now: why, and when each is tried again."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._closed: dict[str, _Closed] = {}

    def waiting(self) -> list[str]:
        """Return the topics whose turn has not come yet."""
        now = self._clock()
        return sorted(topic for topic, closed in self._closed.items() if now < closed.again_at)

    def close(self, topic: str, reason: str) -> None:
        """Note that `topic` takes nothing; said once, until it does or the reason is another."""
        before = self._closed.get(topic)
        backoff = before.backoff if before else Backoff(first=FIRST_AGAIN_SECONDS, limit=LAST_AGAIN_SECONDS)
        self._closed[topic] = _Closed(reason, backoff, self._clock() + backoff.delay())
        metrics.TOPIC_UNDELIVERABLE.labels(topic).set(1)
        if before is None or before.reason != reason:
            log.error("topic_takes_nothing", topic=topic, reason=reason)

    def open(self, topic: str) -> None:
        """Note that `topic` took a fact."""
        if self._closed.pop(topic, None):
            metrics.TOPIC_UNDELIVERABLE.remove(topic)
            log.info("topic_takes_facts", topic=topic)

    def forget(self) -> None:
        """Remove all: another process sends from now on."""
        for topic in list(self._closed):
            self.open(topic)

    async def check(self) -> None:
        """Raise NotReady while there is one."""
        if self._closed:
            raise NotReady("; ".join(f"{topic}: {one.reason}" for topic, one in sorted(self._closed.items())))


@dataclass(frozen=True, slots=True)
class Sent:
    """Kafka's place of each record, None of one whose topic takes none; `spent` with a producer that has to go."""

    places: Sequence[Any]
    spent: bool


class Sending:
    """Hands records to a producer and waits for their acknowledgements; `turned` is called while it waits."""

    def __init__(self, closed: ClosedTopics, *, turned: Callable[[], None]) -> None:
        self._closed = closed
        self._turned = turned

    async def send(self, records: Sequence[dict[str, Any]], producer: Producer) -> Sent:
        """Send what can be sent. Raises BrokerUnavailable, REFUSED, or a KafkaError that is no topic's own."""
        shut = set(await producer.missing({record["topic"] for record in records}))
        for topic in shut:
            self._closed.close(topic, MISSING)
        futures: dict[asyncio.Future[Any], int] = {}
        for number, record in enumerate(records):
            if future := await self._hand_over(record, producer, shut):
                futures[future] = number
        topics = {future: records[number]["topic"] for future, number in futures.items()}
        spent = await self._wait(topics, producer)
        places: list[Any] = [None] * len(records)
        for future, number in futures.items():
            places[number] = _place(future)
        self._open({place.topic for place in places if place})
        return Sent(places, spent)

    async def _hand_over(
        self, record: dict[str, Any], producer: Producer, shut: set[str]
    ) -> "asyncio.Future[Any] | None":
        if record["topic"] in shut:
            return None
        try:
            with spans.carried_on(trace_of(record)):
                return await producer.send(**record)
        except BrokerUnavailable as error:
            if not isinstance(error.__cause__, OF_A_TOPIC):
                raise
            shut.add(record["topic"])
            self._closed.close(record["topic"], repr(error.__cause__))
            return None

    async def _wait(self, topics: Mapping["asyncio.Future[Any]", str], producer: Producer) -> bool:
        """Return, once each is acknowledged or its topic closed, whether the producer still holds any."""
        pending, since, spent = set(topics), time.monotonic(), False
        while pending:
            done, _ = await asyncio.wait(pending, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
            shut = self._failed(done, topics)
            if len(done) < len(pending) and not shut:
                # Never sent anew while pending: the acknowledgements come when the broker does.
                self._turned()
                log.warning("relay_waits_for_kafka", facts=len(pending) - len(done))
                late = {topics[future] for future in pending - done}
                try:
                    shut = await self._shut(late, producer, stuck=time.monotonic() - since > STUCK_SECONDS)
                except BrokerUnavailable:
                    since = time.monotonic()
            given_up = {future for future in pending - done if topics[future] in shut}
            for future in given_up:
                future.add_done_callback(retrieved)
            spent = spent or bool(shut)
            pending -= done | given_up
        return spent

    def _failed(self, done: Collection["asyncio.Future[Any]"], topics: Mapping[Any, str]) -> set[str]:
        """Return the topics that refused, closed now. Raises what is no topic's own."""
        failures = [(future, error) for future in done if (error := future.exception())]
        # What is refused first: it spoils the numbering of its partition, of which later records complain.
        for _, error in sorted(failures, key=lambda failure: not isinstance(failure[1], REFUSED)):
            if not isinstance(error, OF_A_TOPIC):
                raise error
        for future, error in failures:
            self._closed.close(topics[future], repr(error))
        return {topics[future] for future, _ in failures}

    async def _shut(self, late: set[str], producer: Producer, *, stuck: bool) -> set[str]:
        """Return those of the `late` topics that are closed now: what is missing, and what is `stuck` though there."""
        missing = await producer.missing(late, anew=True)
        for topic in missing:
            self._closed.close(topic, MISSING)
        if not stuck:
            return set(missing)
        for topic in late - missing:
            self._closed.close(topic, f"no acknowledgement in {STUCK_SECONDS:.0f} s")
        return late

    def _open(self, topics: Collection[str]) -> None:
        for topic in topics:
            self._closed.open(topic)


def trace_of(record: dict[str, Any]) -> str | None:
    """Return the trace of what published the fact."""
    return next((value.decode() for name, value in record["headers"] if name == "traceparent"), None)


def _place(future: "asyncio.Future[Any]") -> Any:
    return future.result() if future.done() and future.exception() is None else None
