"""The fixtures that the other suites stand on."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.topics import ALL_TOPICS
from sandbox.topics import topic_names
from tests.stack.postgres import NewDatabase


async def test_each_call_gives_an_empty_database_of_postgresql_18(database_url: NewDatabase) -> None:
    first, second = await database_url(), await database_url()

    for url in (first, second):
        connection = await asyncpg.connect(url)
        await connection.execute("create table mine (id int primary key)")
        assert connection.get_server_version().major == 18
        await connection.close()


async def test_a_record_is_read_back_from_a_topic_of_the_contracts(kafka_bootstrap: str) -> None:
    topic = ALL_TOPICS[0].name
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"value", key=b"key")

    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()

    assert (record.key, record.value) == (b"key", b"value")


async def test_the_broker_has_every_topic_of_the_contracts(kafka_bootstrap: str) -> None:
    assert {topic.name for topic in ALL_TOPICS} <= await topic_names(kafka_bootstrap)
