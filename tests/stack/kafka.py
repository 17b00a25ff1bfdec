"""A Kafka for the tests, with the topics of the contracts: the one that is given, a container, or the embedded one."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from contracts.topics import ALL_TOPICS
from sandbox import places
from sandbox.brokers import broker_choice, start_broker
from sandbox.topics import create_topics
from tests.stack.docker import docker_is_asked_for, running_kafka


@asynccontextmanager
async def a_kafka(directory: Path) -> AsyncIterator[str]:
    """Bootstrap servers: `KAFKA_BOOTSTRAP_SERVERS`, docker with STACK=docker, else the embedded broker."""
    if given := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        await create_topics(given, ALL_TOPICS)
        yield given
    elif docker_is_asked_for():
        with running_kafka() as bootstrap:
            await create_topics(bootstrap, ALL_TOPICS, within=60)
            yield bootstrap
    else:
        async with embedded_kafka(directory) as bootstrap:
            yield bootstrap


@asynccontextmanager
async def embedded_kafka(directory: Path) -> AsyncIterator[str]:
    broker = await start_broker(
        broker_choice(),
        topics=ALL_TOPICS,
        directory=directory,
        cache=places.maven_cache(),
        log=directory / "kafka.log",
        report=lambda name, text: print(f"{name}: {text}"),
    )
    try:
        yield broker.bootstrap
    finally:
        await broker.stop()
