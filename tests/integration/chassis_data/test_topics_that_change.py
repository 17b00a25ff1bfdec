"""Topics that go, come and grow while we run: only their own facts wait, and whoever cannot get on says for which."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from prometheus_client import REGISTRY
from sqlalchemy import func, insert, select

from chassis.kafka.kafka import Producer
from chassis.outbox.consumer import Consumer
from chassis.outbox.outbox import OUTBOX
from chassis.outbox.relay import Relay
from chassis.process.health import Health
from contracts import AddonState, seal
from tests.integration.chassis_data.test_message_path import Path, addon_state, path, until

__all__ = ["path"]

SOON = 60.0
"""Seconds: five metadata ages, and far below the five minutes of before."""


class Topics:
    """Topics of one test, by names that no other test uses."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin
        self.one, self.other = (f"test.{name}.{uuid.uuid4().hex[:8]}" for name in ("one", "other"))

    async def make(self, name: str, *, partitions: int = 2) -> None:
        """Make it; one that was deleted just now is in the way for a moment."""

        async def made() -> bool:
            answer = await self._admin.create_topics([NewTopic(name, partitions, 1)])
            return all(error[1] == 0 for error in answer.topic_errors)

        await until(made, seconds=SOON)

    async def delete(self, name: str) -> None:
        await self._admin.delete_topics([name])

        async def gone() -> bool:
            return name not in await self._admin.list_topics()

        await until(gone, seconds=SOON)

    async def grow(self, name: str, *, partitions: int) -> None:
        await self._admin.create_partitions({name: NewPartitions(partitions)})


@pytest.fixture
async def topics(kafka_bootstrap: str) -> AsyncIterator[Topics]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    made = Topics(admin)
    try:
        yield made
        left = {made.one, made.other} & set(await admin.list_topics())
        await admin.delete_topics(sorted(left))
    finally:
        await admin.close()


async def given_facts(path: Path, topic: str, *payloads: bytes) -> None:
    rows = [
        {"fact_id": uuid.uuid4(), "topic": topic, "key": "ws_1", "headers": {}, "payload": payload}
        for payload in payloads
    ]
    async with path.database.transaction() as session:
        await session.execute(insert(OUTBOX), rows)


async def waiting(path: Path, topic: str) -> int:
    async with path.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(OUTBOX).where(OUTBOX.c.topic == topic)) or 0


def left(path: Path, topic: str, facts: int) -> Callable[[], Awaitable[bool]]:
    async def so_many_are_left() -> bool:
        return await waiting(path, topic) == facts

    return so_many_are_left


async def received(path: Path, topic: str) -> list[bytes]:
    """Return what lies on the topic, each once, as it came first; all has one key."""
    consumer = AIOKafkaConsumer(bootstrap_servers=path.settings.kafka_bootstrap_servers, auto_offset_reset="earliest")
    async with consumer:
        await consumer._client.force_metadata_update()
        found = [TopicPartition(topic, number) for number in await _partitions(consumer, topic)]
        consumer.assign(found)
        values: list[bytes] = []
        ends = await consumer.end_offsets(found)
        while any([await consumer.position(one) < ends[one] for one in found]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                values += [record.value for record in records]
    return list(dict.fromkeys(values))


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer.topics()
    return set((await consumer._client.fetch_all_metadata()).partitions_for_topic(topic) or ())


def undeliverable() -> set[str]:
    (family,) = (one for one in REGISTRY.collect() if one.name == "billing_outbox_topic_undeliverable")
    return {one.labels["topic"] for one in family.samples if one.value == 1}


async def reason(health: Health, check: str) -> str:
    await health.readiness()
    return health.reasons.get(check, "")


async def test_a_topic_that_is_missing_holds_up_its_own_facts_alone(path: Path, topics: Topics) -> None:
    """Given facts of a topic that nobody has made before those of one that is there, the relay says which, and why."""
    await topics.make(topics.one)
    await given_facts(path, topics.other, b"1", b"2")
    await given_facts(path, topics.one, b"a", b"b")
    health = Health()

    async with Relay(database=path.database, settings=path.settings, health=health).running():
        await until(left(path, topics.one, 0), seconds=SOON)
        assert await waiting(path, topics.other) == 2
        assert topics.other in await reason(health, "relay")
        assert topics.other in undeliverable()
        assert topics.one not in undeliverable()

        await topics.make(topics.other)
        await until(left(path, topics.other, 0), seconds=SOON)
        assert await reason(health, "relay") == ""
        assert topics.other not in undeliverable()

    assert await received(path, topics.one) == [b"a", b"b"]
    assert await received(path, topics.other) == [b"1", b"2"]


async def test_a_topic_that_goes_while_we_run_holds_up_its_own_facts_alone(path: Path, topics: Topics) -> None:
    await topics.make(topics.one)
    await topics.make(topics.other)
    health = Health()

    async with Relay(database=path.database, settings=path.settings, health=health).running():
        await given_facts(path, topics.other, b"0")
        await given_facts(path, topics.one, b"a")
        await until(left(path, topics.other, 0), seconds=SOON)
        await topics.delete(topics.other)
        await given_facts(path, topics.other, b"1", b"2")
        await given_facts(path, topics.one, b"b")
        await until(left(path, topics.one, 0), seconds=SOON)
        await given_facts(path, topics.one, b"c")
        await until(left(path, topics.one, 0), seconds=SOON)
        assert await waiting(path, topics.other) == 2
        assert topics.other in await reason(health, "relay")

        await topics.make(topics.other)
        await until(left(path, topics.other, 0), seconds=SOON)

    assert await received(path, topics.one) == [b"a", b"b", b"c"]
    assert await received(path, topics.other) == [b"1", b"2"]


@asynccontextmanager
async def consuming(path: Path, topic: str, health: Health) -> AsyncIterator[None]:
    consumer = Consumer(
        topics=[topic],
        group=path.group,
        database=path.database,
        handle=path.handle,
        settings=path.settings,
        health=health,
    )
    async with consumer.running():
        yield


async def put(path: Path, producer: Producer, topic: str, fact: AddonState, *, key: str) -> None:
    path.ids.add(fact.id)
    headers = list(seal(fact, occurred_at=datetime.now(UTC)).to_headers())
    await producer.produce(topic=topic, key=key, headers=headers, value=fact.model_dump_json().encode())


async def put_one(path: Path, topic: str) -> None:
    """By a producer that has never known another topic of this name."""
    async with Producer(path.settings) as producer:
        await producer.wait_connected()
        await put(path, producer, topic, addon_state(), key="a")


def applied(path: Path, facts: int) -> Callable[[], Awaitable[bool]]:
    async def so_many_are_applied() -> bool:
        return await path.effects() == facts

    return so_many_are_applied


async def test_a_topic_that_is_deleted_and_made_again_is_read_at_once(path: Path, topics: Topics) -> None:
    """Meanwhile its consumer is not ready and says so, and no series speaks of partitions that are gone."""
    await topics.make(topics.one)
    health = Health()

    async def it_says_so() -> bool:
        return topics.one in await reason(health, "consumer") and not lag_series(topics.one)

    async def it_is_ready() -> bool:
        return await reason(health, "consumer") == ""

    async with consuming(path, topics.one, health):
        await put_one(path, topics.one)
        await until(applied(path, 1), seconds=SOON)
        await topics.delete(topics.one)
        await until(it_says_so, seconds=SOON)
        await topics.make(topics.one)
        await put_one(path, topics.one)
        await until(applied(path, 2), seconds=SOON)
        await until(it_is_ready, seconds=SOON)


async def test_new_partitions_are_read_at_once(path: Path, topics: Topics) -> None:
    await topics.make(topics.one, partitions=1)
    async with consuming(path, topics.one, Health()):
        await put_one(path, topics.one)
        await until(applied(path, 1), seconds=SOON)
        await topics.grow(topics.one, partitions=8)
        async with Producer(path.settings) as producer:
            await producer.wait_connected()
            for number in range(20):
                await put(path, producer, topics.one, addon_state(), key=f"key-{number}")
        await until(applied(path, 21), seconds=SOON)


def lag_series(topic: str) -> set[Any]:
    (family,) = (one for one in REGISTRY.collect() if one.name == "billing_consumer_lag_records")
    return {one.labels["partition"] for one in family.samples if one.labels["topic"] == topic}
