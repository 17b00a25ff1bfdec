"""A fact that Kafka will never take holds up its own key, loudly, and nobody else's."""

import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy import func, insert, select
from structlog.testing import capture_logs

from chassis.database.database import Database
from chassis.outbox import relay
from chassis.outbox.outbox import OUTBOX
from chassis.outbox.relay import Relay
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from tests.integration.chassis_data.test_message_path import Path, path, until

__all__ = ["path"]

MOST_BYTES = 20_000
BY_THE_BROKER = 50_000
"""Bytes that aiokafka sends and the topic refuses, which spoils the producer's numbering."""
BY_OURSELVES = 1_100_000
"""Bytes that aiokafka does not even send."""


@pytest.fixture
async def small_topic(kafka_bootstrap: str) -> AsyncIterator[str]:
    """A topic that takes small records only, with one partition: a spoiled producer would fail all that follows."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    name = f"test.small.{uuid.uuid4().hex[:8]}"
    try:
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs={"max.message.bytes": str(MOST_BYTES)})])
        yield name
    finally:
        await admin.close()


async def given_facts(database: Database, topic: str, *facts: tuple[str, int]) -> None:
    """Outbox rows of one transaction: key and size."""
    rows = [
        {"fact_id": uuid.uuid4(), "topic": topic, "key": key, "headers": {}, "payload": b"x" * size}
        for key, size in facts
    ]
    async with database.transaction() as session:
        await session.execute(insert(OUTBOX), rows)


async def waiting(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(OUTBOX)) or 0


async def received(topic: str, settings: ServiceSettings) -> list[str]:
    """The keys on the topic, each once, in the order of their first record."""
    async with AIOKafkaConsumer(
        topic,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        records = [record for batch in (await consumer.getmany(timeout_ms=3000)).values() for record in batch]
    return list(dict.fromkeys(record.key.decode() for record in records))


@pytest.mark.parametrize("size", [BY_THE_BROKER, BY_OURSELVES], ids=["by-the-broker", "by-ourselves"])
async def test_a_fact_that_is_too_large_holds_up_only_its_own_key(
    path: Path, small_topic: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BATCH", 16)
    before = [(f"before-{number}", 100) for number in range(7)]
    after = [(f"after-{number}", 100) for number in range(20)]
    await given_facts(path.database, small_topic, *before, ("large", size), ("large", 100), *after)

    with capture_logs() as lines:
        async with Relay(database=path.database, settings=path.settings, health=Health()).running():

            async def only_the_held_ones_wait() -> bool:
                return await waiting(path.database) == 2

            await until(only_the_held_ones_wait, seconds=40)
            refused = metrics.OUTBOX_REFUSED._value.get()
            await given_facts(path.database, small_topic, ("later", 100))
            await until(only_the_held_ones_wait, seconds=10)

    assert [key for key, _ in [*before, *after, ("later", 100)]] == await received(small_topic, path.settings)
    assert refused == 1
    [loud] = [line for line in lines if line["event"] == "fact_refused_by_kafka"]
    assert (loud["log_level"], loud["topic"], loud["key"], loud["bytes"]) == ("critical", small_topic, "large", size)
