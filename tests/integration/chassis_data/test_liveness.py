"""/livez of a process with a consumer fails only where a restart helps: its loop has not run for long, or has ended,
while database and broker answer.
"""

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import pytest

from chassis.database.database import Database
from chassis.kafka import progress
from chassis.outbox import consumer as consumer_module
from chassis.outbox.consumer import Consumer
from chassis.process.health import BEAT_LIMIT, Health
from chassis.process.settings import ServiceSettings
from contracts.topics import ALL_TOPICS
from sandbox import places
from sandbox.brokers import Broker, broker_choice, start_broker
from sandbox.ports import LOOPBACK
from tests.integration.chassis_data.any_bytes import any_producer
from tests.integration.chassis_data.test_any_bytes import asked
from tests.integration.chassis_data.test_any_bytes_in_every_service import PARTITION, SERVICES, Service, behind
from tests.integration.chassis_data.test_message_path import until
from tests.stack.postgres import NewDatabase, Template

pytestmark = pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaConnection:ResourceWarning")

BEATS: Final = 4
"""In a row, each of which says that a restart is not wanted."""


class Pulse(Health):
    """Health that counts the consumer's beats."""

    def __init__(self) -> None:
        super().__init__()
        self.beats = 0

    def beat(self, loop: str, *, limit: float = BEAT_LIMIT) -> None:
        self.beats += loop == "consumer"
        super().beat(loop, limit=limit)


class Wire:
    """A way to the database that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, back = await asyncio.open_connection(*self._there)
            self._writers |= {writer, back}
            await asyncio.wait(
                [asyncio.create_task(_copy(reader, back)), asyncio.create_task(_copy(there, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            self._writers -= {writer, back}
            for end in (writer, back):
                end.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker of our own, to be taken down."""
    directory = tmp_path_factory.mktemp("broker")
    broker = await start_broker(
        broker_choice(), topics=ALL_TOPICS, directory=directory, cache=places.maven_cache(), log=directory / "kafka.log"
    )
    yield broker
    await broker.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes are parts of a second."""
    monkeypatch.setattr(progress, "LOOP_SECONDS", 0.2)
    monkeypatch.setattr(consumer_module, "PULSE_SECONDS", 0.05)
    monkeypatch.setattr(consumer_module, "ALIVE_SECONDS", 2.0)


class Stuck:
    """A consumer of a service that has begun with a batch and waits for ever."""

    def __init__(self, service: Service, broker: Broker, wire: Wire, health: Pulse) -> None:
        self.service = service
        self.broker = broker
        self.wire = wire
        self.health = health
        self.begun = asyncio.Event()
        self.over = asyncio.Event()

    async def handle(self, *_: Any) -> None:
        self.begun.set()
        await self.over.wait()

    async def beats_on(self) -> None:
        """Return once it has said several times more that no restart is wanted."""
        seen = self.health.beats
        async with asyncio.timeout(60):
            while self.health.beats < seen + BEATS:  # noqa: ASYNC110 - the pulse is in the consumer
                await asyncio.sleep(0.02)

    async def is_dead(self) -> bool:
        status, said = await asked(self.health, "/livez")
        return status == 503 and list(said["late"]) == ["consumer"]


@pytest.fixture(params=SERVICES)
async def stuck(
    request: pytest.FixtureRequest, broker: Broker, database_url: NewDatabase, template: Template, quick: None
) -> AsyncIterator[Stuck]:
    service = SERVICES[request.param]
    url = urlsplit(await database_url(like=await template(service.migrations)))
    wire = Wire(str(url.hostname), int(url.port or 0))
    await wire.mend()
    through = urlunsplit(
        url._replace(netloc=url.netloc.replace(f"{url.hostname}:{url.port}", f"{LOOPBACK}:{wire.port}"))
    )
    one = Stuck(service, broker, wire, Pulse())
    async with (
        Database(through, name="test") as database,
        consuming(one, database),
        any_producer(broker.bootstrap) as producer,
    ):
        topic = service.topics[0]
        await producer.send(topic, behind(topic, uuid.uuid4()), partition=PARTITION)
        await asyncio.wait_for(one.begun.wait(), 60)
        yield one
        one.over.set()
    await wire.cut()
    gc.collect()  # aiokafka leaves a connection open whose first question was cut off, and says so when it is collected


@asynccontextmanager
async def consuming(one: Stuck, database: Database) -> AsyncIterator[None]:
    consumer = Consumer(
        topics=one.service.topics,
        group=f"stuck-{uuid.uuid4().hex[:8]}",
        database=database,
        handle=one.handle,
        settings=ServiceSettings(kafka_bootstrap_servers=one.broker.bootstrap),
        health=one.health,
    )
    async with consumer.running():
        yield


async def test_a_loop_that_stands_still_while_its_parts_answer_is_not_alive(stuck: Stuck) -> None:
    await until(stuck.is_dead)


async def test_while_the_database_is_away_it_is_alive_and_when_it_is_back_it_is_not(stuck: Stuck) -> None:
    await stuck.wire.cut()
    await stuck.beats_on()
    alive = (await asked(stuck.health, "/livez"))[0]
    await stuck.wire.mend()

    await until(stuck.is_dead)
    assert alive == 200


async def test_while_the_broker_is_away_it_is_alive_and_when_it_is_back_it_is_not(stuck: Stuck) -> None:
    await stuck.broker.take_down()
    try:
        await stuck.beats_on()
        alive = (await asked(stuck.health, "/livez"))[0]
    finally:
        await stuck.broker.bring_back()

    await until(stuck.is_dead)
    assert alive == 200


async def test_a_reading_that_has_ended_is_not_alive(
    broker: Broker, database_url: NewDatabase, template: Template, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ended it: nobody would read any more, and nothing of the consumer's would answer."""
    service = SERVICES["notifier"]

    async def ended(_: Consumer) -> None:
        return

    monkeypatch.setattr(Consumer, "_consume", ended)
    async with Database(await database_url(like=await template(service.migrations)), name="test") as database:
        one = Stuck(service, broker, Wire("", 0), Pulse())
        async with consuming(one, database):
            await until(one.is_dead)
