"""Whether Kafka can be reached and has the topics that a process works with; asked by readiness and the doctor only."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Self

from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata

from chassis.kafka.kafka import connection
from chassis.process.health import Health, NotReady
from chassis.process.settings import RelayPlace, ServiceSettings
from contracts.topics import ALL_TOPICS, SESSION_STATE

CONNECT_SECONDS: Final = 1.0
REQUEST_SECONDS: Final = 10.0
"""For each server that is asked; aiokafka's own 40 add up where several are silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsUsed:
    """What one process reads and writes on Kafka: its consumer, its readiness and the doctor go by this one list."""

    reads: tuple[str, ...] = ()
    """By its consumer, in a group."""
    sessions: bool = False
    """Whether it takes tokens, and so reads which of them are not good any more."""
    writes: frozenset[str] = frozenset()
    reads_back: frozenset[str] = frozenset()
    """What `owner` wrote itself, read where its database may be a copy of before: by the relay, and by who mends it."""

    @classmethod
    def of(
        cls,
        owner: str,
        *,
        reads: tuple[str, ...] = (),
        sessions: bool = False,
        reads_back: frozenset[str] = frozenset(),
    ) -> Self:
        """Return what a process uses that writes all topics of `owner`."""
        writes = frozenset(one.name for one in ALL_TOPICS if one.owner == owner)
        return cls(reads=reads, sessions=sessions, writes=writes, reads_back=reads_back)

    def with_relay(self, place: RelayPlace) -> Self:
        """Return what is left to the service's process: where the relay is a process apart, that one writes."""
        return self if place == "inside" else replace(self, writes=frozenset())

    @property
    def all_read(self) -> frozenset[str]:
        """Return all that it reads."""
        return frozenset({*self.reads, SESSION_STATE.name} if self.sessions else self.reads)

    @property
    def all(self) -> frozenset[str]:
        """Return all that has to be there before it is ready."""
        return self.all_read | self.writes | self.reads_back


class BrokerArrival:
    """What may come after we did: the broker, and the topics, which a job makes.

    Once all of them have been seen the process stays ready: it goes on without Kafka, and a probe that fails for every
    replica at once would take away what works.
    """

    def __init__(self, settings: ServiceSettings, topics: Collection[str]) -> None:
        self._settings = settings
        self._topics = frozenset(topics)
        self._seen = False

    def watch(self, health: Health) -> None:
        """Make `broker` and `topics` members of readiness."""
        health.check("broker", self.broker)
        health.check("topics", self.topics)

    async def broker(self) -> bool:
        """Return whether a broker takes a connection, or did when the topics were seen."""
        return self._seen or await broker_is_reachable(self._settings.kafka_bootstrap_servers)

    async def topics(self) -> None:
        """Raise NotReady unless all topics are there, or were once, and KafkaError where no broker answers."""
        if self._seen:
            return
        if missing := self._topics - await existing_topics(self._settings):
            raise NotReady(f"Kafka has no {', '.join(sorted(missing))}, or does not let us see it: the topics' job")
        self._seen = True


async def existing_topics(settings: ServiceSettings) -> frozenset[str]:
    """Return the topics that this role may know of. Raises KafkaError where no broker answers."""
    return frozenset((await _metadata(settings)).topics())


async def existing_partitions(settings: ServiceSettings, topic: str) -> frozenset[int]:
    """Return the numbers of the partitions of `topic`, none without it. Raises KafkaError where no broker answers."""
    return frozenset((await _metadata(settings)).partitions_for_topic(topic) or ())


async def partitions_of(settings: ServiceSettings, topics: Collection[str]) -> dict[str, frozenset[int]]:
    """Return the partitions of those of `topics` that exist. Raises KafkaError where no broker answers."""
    known = await _metadata(settings)
    return {topic: frozenset(numbers) for topic in topics if (numbers := known.partitions_for_topic(topic))}


async def _metadata(settings: ServiceSettings) -> ClusterMetadata:
    """Of all topics: a question about one by its name would make it."""
    client = AIOKafkaClient(**connection(settings), request_timeout_ms=int(REQUEST_SECONDS * 1000))
    try:
        await client.bootstrap()
        return await client.fetch_all_metadata()
    finally:
        await client.close()


async def broker_is_reachable(bootstrap_servers: str) -> bool:
    """Return whether any of the comma-separated `host:port` takes a connection."""
    servers = [server.strip() for server in bootstrap_servers.split(",") if server.strip()]
    return any(await asyncio.gather(*[_takes_connection(server) for server in servers]))


async def _takes_connection(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
