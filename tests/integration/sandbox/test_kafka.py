"""The two embedded brokers, side by side: what the services rely on is true on both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError

from contracts.topics import ALL_TOPICS, STRIPE_EVENTS
from sandbox import places
from sandbox.brokers import Broker, Choice, start_broker
from sandbox.kafka_jars import MavenUnreachable
from sandbox.topics import topic_names


@asynccontextmanager
async def running(choice: Choice, directory: Path, cache: Path | None = None) -> AsyncIterator[Broker]:
    broker = await start_broker(
        choice,
        topics=ALL_TOPICS,
        directory=directory,
        cache=cache or places.maven_cache(),
        log=directory / "kafka.log",
    )
    try:
        yield broker
    finally:
        await broker.stop()


@pytest.fixture(scope="module", params=["kafka", "librdkafka"])
async def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    async with running(request.param, tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@asynccontextmanager
async def admin_of(broker: Broker) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def produce(bootstrap: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    try:
        await producer.start()
        await producer.send_and_wait(STRIPE_EVENTS.name, value, key=value)
    finally:
        await producer.stop()


async def consume(bootstrap: str, *, group: str, count: int) -> list[bytes]:
    async with AIOKafkaConsumer(
        STRIPE_EVENTS.name,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=20,
    ) as consumer:
        values = [(await asyncio.wait_for(consumer.getone(), 20)).value for _ in range(count)]
        await consumer.commit()
        return values


async def test_it_has_each_topic_of_the_contracts_with_its_partitions(broker: Broker) -> None:
    assert await topic_names(broker.bootstrap) == {topic.name for topic in ALL_TOPICS}
    async with admin_of(broker) as admin:
        described = await admin.describe_topics([topic.name for topic in ALL_TOPICS])
    partitions = {entry["topic"]: len(entry["partitions"]) for entry in described}
    assert partitions == {topic.name: topic.partitions for topic in ALL_TOPICS}


async def test_a_group_goes_on_where_it_committed(broker: Broker) -> None:
    await produce(broker.bootstrap, b"one")
    assert await consume(broker.bootstrap, group="reader", count=1) == [b"one"]

    await produce(broker.bootstrap, b"two")

    assert await consume(broker.bootstrap, group="reader", count=1) == [b"two"]


async def test_records_outlive_a_broker_that_is_down_for_a_while(broker: Broker) -> None:
    await produce(broker.bootstrap, b"before")
    await broker.take_down()
    with pytest.raises(KafkaConnectionError):
        await produce(broker.bootstrap, b"never")

    await broker.bring_back()

    await produce(broker.bootstrap, b"after")
    everything = await consume(broker.bootstrap, group="later", count=4)
    assert {b"before", b"after"} < set(everything)
    assert b"never" not in everything


async def test_apache_kafka_keeps_what_the_contracts_say_how_long(tmp_path: Path) -> None:
    async with running("kafka", tmp_path) as broker:
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in ALL_TOPICS]
        async with admin_of(broker) as admin:
            answers = await admin.describe_configs(resources)

    found = {
        name: {entry[0]: entry[1] for entry in entries} for answer in answers for *_, name, entries in answer.resources
    }
    for topic in ALL_TOPICS:
        assert found[topic.name]["cleanup.policy"] == topic.cleanup_policy
        assert found[topic.name]["retention.ms"] == str(topic.retention_ms)


@pytest.fixture
def maven_is_unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, and a network that leads nowhere."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    return tmp_path / "cache"


async def test_without_maven_the_fallback_is_taken(tmp_path: Path, maven_is_unreachable: Path) -> None:
    async with running("auto", tmp_path, maven_is_unreachable) as broker:
        assert broker.kind == "librdkafka"


async def test_who_insists_on_apache_kafka_gets_no_fallback(tmp_path: Path, maven_is_unreachable: Path) -> None:
    with pytest.raises(MavenUnreachable):
        async with running("kafka", tmp_path, maven_is_unreachable):
            pass
