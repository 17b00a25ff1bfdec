"""A database that is a copy of before is found out by what Kafka has, and by nothing else."""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import MetaData, text

from chassis.database.database import Database, plain_connection
from chassis.database.tables import outbox_table
from chassis.outbox.outbox import publish
from chassis.outbox.relay import Relay
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from chassis.recovery import epochs
from chassis.recovery.numbered import Numbered
from chassis.recovery.published import published_records
from chassis.recovery.restored import RestoreCheck
from contracts import AddonState, Envelope
from tests.integration.chassis_data.test_message_path import TOPIC, addon_state
from tests.stack.postgres import NewDatabase

LEDGER = (Numbered(fact=AddonState, table="things"),)
NUMBER = "insert into things values (:id, :sequence) on conflict (id) do update set sequence = excluded.sequence"


class Service:
    """A ledger that numbers things, and its relay."""

    def __init__(self, url: str, settings: ServiceSettings) -> None:
        self.url = url
        self.settings = settings

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Database]:
        async with Database(self.url, name="restored-tests") as database:
            yield database

    async def given_committed(self, *facts: AddonState) -> None:
        async with self.opened() as database, database.transaction() as session:
            for fact in facts:
                await session.execute(text(NUMBER), {"id": fact.addon_id, "sequence": fact.sequence})
            publish(session, *facts, occurred_at=facts[0].occurred_at)

    async def when_relayed(self) -> None:
        """Run the relay until nothing is left to send."""
        async with self.opened() as database:
            relay = Relay(database=database, settings=self.settings, health=Health(), ledger=LEDGER)
            metrics.COMPARED_AT.set(metrics.UNKNOWN)
            async with relay.running():
                await until(has_compared)
                await until(lambda: self.equals("select count(*) from outbox", 0))

    async def equals(self, query: str, expected: Any) -> bool:
        return bool(await self.value(query) == expected)

    async def value(self, query: str) -> Any:
        async with plain_connection(self.url, name="restored-tests") as connection:
            return await connection.fetchval(query)

    async def is_recovering(self) -> bool:
        async with self.opened() as database, database.reading() as session:
            return await epochs.is_recovering(session)


async def has_compared() -> bool:
    return not math.isnan(metrics.COMPARED_AT._value.get())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - the condition is in the database
            await asyncio.sleep(0.05)


Copy = Callable[[Service], Awaitable[Service]]


@pytest.fixture
async def service(database_url: NewDatabase, kafka_bootstrap: str) -> Service:
    url, metadata = await database_url(), MetaData()
    outbox_table(metadata)
    async with Database(url, name="restored-tests") as database, database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(text("create table things (id uuid primary key, sequence bigint not null)"))
    service = Service(url, ServiceSettings(app_env="testing", kafka_bootstrap_servers=kafka_bootstrap))
    await service.given_committed(addon_state())
    await service.when_relayed()
    return service


@pytest.fixture
def copy(database_url: NewDatabase) -> Copy:
    """As a backup is taken: nobody is connected."""

    async def made(service: Service) -> Service:
        return Service(await database_url(like=service.url.rpartition("/")[2]), service.settings)

    return made


async def published(service: Service, addon_id: uuid.UUID) -> list[tuple[uuid.UUID, bytes]]:
    """What Kafka has of one add-on, in its order: id and body."""
    found = []
    async with published_records(service.settings, [TOPIC]) as records:
        async for batch in records.read(await records.whole()):
            found += [one for one in batch if one.key == str(addon_id).encode()]
    return [(Envelope.from_headers(one.headers).id, one.value) for one in found]


async def test_a_copy_of_before_begins_a_new_epoch_and_stops_selling(service: Service, copy: Copy) -> None:
    fact = addon_state()
    backup = await copy(service)
    await service.given_committed(fact)
    await service.when_relayed()
    assert not await service.is_recovering()

    await backup.when_relayed()

    assert await backup.is_recovering()
    assert await backup.value("select missing_facts from epochs where epoch > 0") == 1
    assert await backup.value("select jsonb_array_length(stretches) from epochs where epoch > 0") == 1


async def test_it_begins_once(service: Service, copy: Copy) -> None:
    backup = await copy(service)
    await service.given_committed(addon_state())
    await service.when_relayed()

    await backup.when_relayed()
    await backup.when_relayed()

    assert await backup.value("select count(*) from epochs where epoch > 0") == 1


async def test_no_id_has_two_bodies(service: Service, copy: Copy) -> None:
    """Also of what was committed after the restore and before anybody noticed."""
    first = addon_state()
    await service.given_committed(first)
    await service.when_relayed()
    backup = await copy(service)
    second = first.model_copy(update={"sequence": 2, "name": "as it was"})
    await service.given_committed(second)
    await service.when_relayed()

    other = first.model_copy(update={"sequence": 2, "name": "as it is now"})
    await backup.given_committed(other)
    await backup.when_relayed()

    bodies: dict[uuid.UUID, set[bytes]] = {}
    for fact_id, body in await published(service, first.addon_id):
        bodies.setdefault(fact_id, set()).add(body)
    assert len(bodies) == 3
    assert all(len(of_one_id) == 1 for of_one_id in bodies.values())
    assert await backup.is_recovering()


async def test_what_the_copy_had_in_its_outbox_keeps_its_id(service: Service, copy: Copy) -> None:
    """It was published by the database that is gone: a reader knows it, and drops it."""
    fact = addon_state()
    await service.given_committed(fact)
    backup = await copy(service)
    await service.when_relayed()

    await backup.when_relayed()

    assert {fact_id for fact_id, _ in await published(service, fact.addon_id)} == {fact.id}
    assert not await backup.is_recovering()


async def test_what_was_sent_and_not_deleted_is_no_restore(service: Service) -> None:
    """The relay died between Kafka's yes and its delete: the fact is in the outbox still."""
    fact = addon_state()
    await service.given_committed(fact)
    backup = f"create table kept as select * from outbox where fact_id = '{fact.id}'"
    await service.value(backup)
    offsets = "create table before as select * from relay_offsets"
    await service.value(offsets)
    await service.when_relayed()
    await service.value("delete from relay_offsets")
    await service.value("insert into relay_offsets select * from before")
    await service.value("insert into outbox overriding system value select * from kept")

    await service.when_relayed()

    assert not await service.is_recovering()
    assert {fact_id for fact_id, _ in await published(service, fact.addon_id)} == {fact.id}


async def test_what_a_relay_of_before_sent_without_storing_offsets_is_no_restore(service: Service) -> None:
    """During a rolling upgrade both versions relay in turn: what they sent is in the ledger."""
    await service.value("create table before as select * from relay_offsets")
    await service.given_committed(addon_state(), addon_state())
    await service.when_relayed()
    await service.value("delete from relay_offsets")
    await service.value("insert into relay_offsets select * from before")

    await service.when_relayed()

    assert not await service.is_recovering()


async def test_a_topic_that_ends_before_what_it_acknowledged_is_no_restore(service: Service) -> None:
    """It was made anew: Kafka lost it, and not the database. What is acknowledged is judged from its end on."""
    await service.value("update relay_offsets set next_offset = next_offset + 1000000")

    await service.when_relayed()

    assert not await service.is_recovering()
    assert await service.value("select max(next_offset) < 1000000 from relay_offsets")


async def test_kafka_that_is_away_is_no_restore(service: Service) -> None:
    nowhere = service.settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    async with plain_connection(service.url, name="restored-tests") as connection:
        with pytest.raises(Exception, match=r"Unable to bootstrap|Connection"):
            await RestoreCheck(nowhere, ledger=LEDGER).run(connection)

    assert not await service.is_recovering()
    assert await service.value("select count(*) from epochs") == 1
