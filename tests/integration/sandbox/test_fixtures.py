"""The fixtures that the other suites stand on."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.topics import ALL_TOPICS
from sandbox.topics import topic_names
from tests.stack.postgres import NewDatabase, embedded_postgres, fresh_databases


async def test_each_call_gives_an_empty_database_of_postgresql_18(database_url: NewDatabase) -> None:
    first, second = await database_url(), await database_url()

    for url in (first, second):
        connection = await asyncpg.connect(url)
        await connection.execute("create table mine (id int primary key)")
        assert connection.get_server_version().major == 18
        await connection.close()


async def test_a_database_goes_as_soon_as_those_have_left_it_whom_its_owner_cannot_send_away(tmp_path: Path) -> None:
    """As autovacuum's workers, which are a superuser's."""
    async with embedded_postgres(tmp_path, forgetful=True) as server:
        owner = await server.add_owner("tests", may_create_databases=True)
        async with fresh_databases(owner) as new_database:
            name = (await new_database()).rpartition("/")[2]
            superusers = await asyncpg.connect(f"{server.admin_url.rpartition('/')[0]}/{name}")
            asyncio.get_running_loop().call_later(0.3, superusers.terminate)

        connection = await asyncpg.connect(server.admin_url)
        assert await connection.fetch("select 1 from pg_database where datname = $1", name) == []
        await connection.close()


async def test_a_record_is_read_back_from_a_topic_of_the_contracts(kafka_bootstrap: str) -> None:
    topic, key = ALL_TOPICS[0].name, uuid.uuid4().bytes
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"value", key=key)

    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest") as consumer:
        read = [record async for record in _until(consumer, key)]

    assert (read[-1].key, read[-1].value) == (key, b"value")


async def test_the_broker_has_every_topic_of_the_contracts(kafka_bootstrap: str) -> None:
    assert {topic.name for topic in ALL_TOPICS} <= await topic_names(kafka_bootstrap)


async def _until(consumer: AIOKafkaConsumer, key: bytes) -> AsyncIterator[Any]:
    """The records up to this key: the other tests of the run write to the topic as well."""
    async for record in consumer:
        yield record
        if record.key == key:
            return
