"""Which tokens are not taken any more because somebody signed out: read from their topic by every process that asks."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.backoff import Backoff
from chassis.kafka.broker_check import existing_partitions
from chassis.kafka.every_record import read_every_record
from chassis.kafka.kafka import connection
from chassis.kafka.records import Received, decode
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.logs import get_logger
from chassis.process.process import background
from chassis.process.settings import ServiceSettings
from contracts import SESSION_STATE
from contracts.session_facts import SessionEnded

log = get_logger(__name__)

POLL_MS: Final = 500
FETCH_MS: Final = 200
LOOK_SECONDS: Final = 5.0
"""Between two looks whether the topic was read to its end; a broker that is away shows in nothing else."""
LEEWAY_SECONDS: Final = 60.0
"""A token is taken for a little longer than it says."""
PRUNE_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 1.0
MOST_UNPUBLISHED: Final = 10_000
TELL_SECONDS: Final = 2.0
BEAT_SECONDS: Final = 60.0
"""A broker that does not answer holds the loop up for longer than others are."""
START_SECONDS: Final = 25.0
"""For the question about the topic, and for the consumer's start: room for two servers that are silent."""
STOP_SECONDS: Final = 5.0
METADATA_MS: Final = 10_000
"""A partition that is new is noticed so much later at most."""
FARTHEST_SECONDS: Final = 10 * 365 * 86_400.0
"""A token may say that it is good for ever."""
Publish = Callable[[SessionEnded], Awaitable[None]]
"""Hands the fact over durably; raises while that cannot be."""


def digest_of(token: str) -> str:
    """Return the SHA-256 of the token's signed part, in hexadecimal.

    Not of the whole: the signature has other spellings that verify, and a copy so changed would be taken.
    """
    return hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()


class TopicMissing(LookupError):  # noqa: N818 - named for what it says
    """Nobody has made the topic yet."""


class EndedSessions:
    """The digests of tokens whose sessions have ended, until they expire. Each process has its own, and reads all.

    `publish` publishes a sign-out to the others; it is called again while it raises.
    """

    def __init__(
        self, settings: ServiceSettings, *, publish: Publish | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._publish = publish
        self._clock = clock
        self._until: dict[str, float] = {}
        self._unpublished: dict[str, SessionEnded] = {}
        self._was_read = False
        self._pruned_at = 0.0

    def __len__(self) -> int:
        return len(self._until)

    def has(self, token: str) -> bool:
        """Return whether the session of `token` has ended."""
        return bool(self._until) and digest_of(token) in self._until

    async def was_read(self) -> bool:
        """Return whether the topic was read to its end since we started; it stays so while Kafka is away."""
        return self._was_read

    async def end(self, token: str, *, expires_at: float) -> None:
        """End the session of `token`, which expires at that Unix time: here at once, elsewhere as soon as can be."""
        now = self._clock()
        fact = SessionEnded(
            token_sha256=digest_of(token),
            expires_at=datetime.fromtimestamp(min(expires_at, now + FARTHEST_SECONDS), UTC),
            occurred_at=datetime.fromtimestamp(now, UTC),
        )
        self._remember(fact)
        if self._publish is not None and len(self._unpublished) < MOST_UNPUBLISHED:
            self._unpublished[fact.token_sha256] = fact
            await self._publish_waiting()

    @asynccontextmanager
    async def running(self, health: Health) -> AsyncIterator[None]:
        """Follow the topic until the block is left; `sessions` is a member of readiness."""
        health.check("sessions", self.was_read)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(background("ended-sessions", lambda: self._follow(health)))
            if self._publish is not None:
                await stack.enter_async_context(background("untold-sessions", lambda: self._keep_publishing(health)))
            yield

    async def _follow(self, health: Health) -> None:
        read_every_record()  # a header's name may be any bytes
        backoff = Backoff(first=0.2, limit=5)
        while True:
            health.beat("ended-sessions", limit=BEAT_SECONDS)
            consumer = AIOKafkaConsumer(
                **connection(self._settings),
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=FETCH_MS,
                request_timeout_ms=10_000,
                metadata_max_age_ms=METADATA_MS,
            )
            try:
                async with asyncio.timeout(START_SECONDS):
                    partitions = await self._partitions()
                health.beat("ended-sessions", limit=BEAT_SECONDS)
                async with asyncio.timeout(START_SECONDS):
                    await consumer.start()
                await self._read(consumer, partitions, health)
            except Exception as error:  # whatever it is, giving up would take ended sessions for good ones
                log.warning("ended_sessions_unread", error=repr(error)[:300])
            finally:
                with suppress(Exception):
                    await asyncio.wait_for(consumer.stop(), STOP_SECONDS)
            await backoff.sleep()

    async def _partitions(self) -> list[TopicPartition]:
        """Raise TopicMissing: to read a topic that is not there yet could make it, with settings of the broker's."""
        numbers = await existing_partitions(self._settings, SESSION_STATE.name)
        if not numbers:
            raise TopicMissing(SESSION_STATE.name)
        return [TopicPartition(SESSION_STATE.name, number) for number in sorted(numbers)]

    async def _read(self, consumer: Any, partitions: Sequence[TopicPartition], health: Health) -> None:
        """Until the topic has more partitions than these."""
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        look_at = 0.0
        while len(consumer.partitions_for_topic(SESSION_STATE.name) or ()) <= len(partitions):
            health.beat("ended-sessions", limit=BEAT_SECONDS)
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                self._take(records)
            if not self._was_read or time.monotonic() >= look_at:
                look_at = time.monotonic() + LOOK_SECONDS
                if await _is_at_end(consumer, partitions):
                    self._was_read = True
                    metrics.ENDED_SESSIONS_READ_AT.set_to_current_time()
            self._prune()

    def _take(self, records: Sequence[Any]) -> None:
        for record in records:
            received = decode(record)
            if isinstance(received, Received) and isinstance(received.fact, SessionEnded):
                self._remember(received.fact)
            else:
                log.warning("no_ended_session", partition=record.partition, offset=record.offset)

    def _remember(self, fact: SessionEnded) -> None:
        until = fact.expires_at.timestamp() + LEEWAY_SECONDS
        if until > self._clock():
            self._until[fact.token_sha256] = until
            metrics.ENDED_SESSIONS.set(len(self._until))

    def _prune(self) -> None:
        """Forget those that no verifier takes any more, so that there are never more than tokens that are good."""
        now = self._clock()
        if now - self._pruned_at < PRUNE_SECONDS:
            return
        self._pruned_at = now
        self._until = {digest: until for digest, until in self._until.items() if until > now}
        metrics.ENDED_SESSIONS.set(len(self._until))

    async def _keep_publishing(self, health: Health) -> None:
        while True:
            health.beat("untold-sessions")
            await self._publish_waiting()
            await asyncio.sleep(RETRY_SECONDS)

    async def _publish_waiting(self) -> None:
        """Publish the sessions that wait; one published twice, by this and by the loop beside it, is one fact."""
        for digest, fact in list(self._unpublished.items()):
            if self._publish is None:
                return
            try:
                async with asyncio.timeout(TELL_SECONDS):
                    await self._publish(fact)
            except Exception as error:  # the next one that signs out, or the loop, tries again
                log.warning("sign_out_not_told", error=repr(error)[:300], waiting=len(self._unpublished))
                if self._unpublished.pop(digest, None):
                    self._unpublished[digest] = fact  # behind the others: the fault may be its own
                return
            self._unpublished.pop(digest, None)


async def _is_at_end(consumer: Any, partitions: Sequence[TopicPartition]) -> bool:
    ends = await asyncio.wait_for(consumer.end_offsets(partitions), LOOK_SECONDS)
    return all([await asyncio.wait_for(consumer.position(one), LOOK_SECONDS) >= ends[one] for one in partitions])
