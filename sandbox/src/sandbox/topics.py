"""Makes on a broker the topics that the contracts name."""

import asyncio
import time
from collections.abc import Iterable
from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code


class TopicSpec(Protocol):
    """What `contracts.topics.Topic` says about a topic."""

    @property
    def name(self) -> str: ...
    @property
    def partitions(self) -> int: ...
    @property
    def cleanup_policy(self) -> str: ...
    @property
    def retention_ms(self) -> int: ...


async def create_topics(bootstrap: str, topics: Iterable[TopicSpec], *, within: float = 30) -> None:
    """Create those that are missing, and wait until the broker lists them; up to `within` seconds for each.

    On KRaft the controller confirms a topic before the broker, which applies the same log later, tells of it.
    """
    wanted = [_new_topic(topic) for topic in topics]
    admin = await _connect(bootstrap, within)
    try:
        answer = await admin.create_topics(wanted)
        for name, code, message in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"{name}: {message}")
        async with asyncio.timeout(within):
            await _listed(admin, {topic.name for topic in wanted})
    finally:
        await admin.close()


async def _listed(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    while True:
        if names <= set(await admin.list_topics()):
            return
        await asyncio.sleep(0.05)


async def topic_names(bootstrap: str) -> set[str]:
    """Return what the broker has, without Kafka's own topics."""
    admin = await _connect(bootstrap, 30)
    try:
        return {name for name in await admin.list_topics() if not name.startswith("__")}
    finally:
        await admin.close()


def _new_topic(topic: TopicSpec) -> NewTopic:
    settings = {"cleanup.policy": topic.cleanup_policy, "retention.ms": str(topic.retention_ms)}
    return NewTopic(topic.name, topic.partitions, 1, topic_configs=settings)


async def _connect(bootstrap: str, within: float) -> AIOKafkaAdminClient:
    deadline = time.monotonic() + within
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            await admin.start()
            if admin._client.cluster.controller is None:
                raise KafkaConnectionError("the broker knows no controller yet")
        except (KafkaError, OSError):
            await admin.close()
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            return admin
