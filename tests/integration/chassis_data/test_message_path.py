"""From a committed transaction to another service's transaction: outbox, relay, Kafka, consumer, inbox, parked."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import MetaData, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.database.tables import inbox_table, outbox_table, parked_table
from chassis.kafka.records import Received
from chassis.kafka.sending import Sending, Sent
from chassis.outbox import parked
from chassis.outbox.consumer import Consumer
from chassis.outbox.outbox import OUTBOX, publish
from chassis.outbox.relay import Relay
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from contracts import AddonState

TOPIC = "billing.addon.state.v1"


def addon_state(*, sequence: int = 1) -> AddonState:
    return AddonState(
        addon_id=uuid.uuid4(),
        sequence=sequence,
        occurred_at=datetime.now(UTC),
        slug="setup",
        name="Setup",
        price_cents=100,
        currency="EUR",
        is_active=True,
        sort_order=0,
    )


class Path:
    """One service's database and everything between its outbox and its consumer."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self.database = database
        self.settings = settings
        self.group = f"test-{uuid.uuid4().hex[:8]}"
        self.ids: set[uuid.UUID] = set()
        self.handled: list[AddonState] = []
        self.fault: Callable[[AddonState], None] = lambda _: None

    async def given_published(self, *facts: AddonState) -> None:
        self.ids |= {fact.id for fact in facts}
        async with self.database.transaction() as session:
            publish(session, *facts, occurred_at=datetime.now(UTC))

    async def handle(self, session: AsyncSession, batch: Sequence[Received]) -> None:
        for received in batch:
            fact = received.fact
            assert isinstance(fact, AddonState)
            if fact.id in self.ids:
                self.fault(fact)
                await session.execute(text("insert into effects values (:id)"), {"id": fact.id})
                self.handled.append(fact)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        health = Health()
        consumer = Consumer(
            topics=[TOPIC],
            group=self.group,
            database=self.database,
            handle=self.handle,
            settings=self.settings,
            health=health,
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                Relay(database=self.database, settings=self.settings, health=health).running()
            )
            await stack.enter_async_context(consumer.running())
            yield

    async def effects(self) -> int:
        return await self.count("select count(*) from effects")

    async def count(self, query: str) -> int:
        async with self.database.reading() as session:
            return int((await session.execute(text(query))).scalar_one())


async def until(condition: Callable[[], Awaitable[Any]], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the condition is in another process
            await asyncio.sleep(0.05)


@pytest.fixture
async def path(database_url: Any, kafka_bootstrap: str) -> AsyncIterator[Path]:
    metadata = MetaData()
    for table in (outbox_table, inbox_table, parked_table):
        table(metadata)
    async with Database(await database_url(), name="test") as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
            await connection.execute(text("create table effects(id uuid primary key)"))
        yield Path(database, ServiceSettings(app_env="testing", kafka_bootstrap_servers=kafka_bootstrap))


async def test_a_committed_fact_is_applied_once_by_the_consumer(path: Path) -> None:
    """The outbox is empty afterwards: nothing is left to be sent again."""
    async with path.running():
        await path.given_published(*(addon_state() for _ in range(50)))

        await until(lambda: _equals(path.effects(), 50))
        await until(lambda: _equals(path.count("select count(*) from outbox"), 0))


async def test_a_relay_that_is_stopped_between_kafkas_yes_and_its_delete_deletes_first(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each rollout would send a batch again."""
    confirmed, send = asyncio.Event(), Sending.send

    async def confirmed_slowly(sending: Sending, *batch: Any) -> Sent:
        sent = await send(sending, *batch)
        confirmed.set()
        await asyncio.sleep(0.5)
        return sent

    monkeypatch.setattr(Sending, "send", confirmed_slowly)
    async with Relay(database=path.database, settings=path.settings, health=Health()).running():
        await path.given_published(addon_state())
        await asyncio.wait_for(confirmed.wait(), 20)

    assert await path.count("select count(*) from outbox") == 0


async def test_a_rolled_back_fact_never_leaves(path: Path) -> None:
    fact = addon_state()

    async def fail_after_publishing() -> None:
        async with path.database.transaction() as session:
            publish(session, fact, occurred_at=datetime.now(UTC))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await fail_after_publishing()

    async with path.database.reading() as session:
        assert (await session.execute(select(func.count()).select_from(OUTBOX))).scalar_one() == 0


async def test_a_poison_fact_is_parked_and_its_neighbours_are_applied(path: Path) -> None:
    facts = [addon_state() for _ in range(20)]

    def poison(fact: AddonState) -> None:
        if fact.id == facts[7].id:
            raise ValueError("poison")

    path.fault = poison
    await path.given_published(*facts)
    async with path.running():
        await until(lambda: _equals(path.effects(), 19))
        await until(lambda: _equals(path.count("select count(*) from parked where reason like '%poison%'"), 1))


async def test_a_passing_fault_is_waited_out(path: Path) -> None:
    faults = iter([OSError("connection reset"), TimeoutError()])

    def passing(_: AddonState) -> None:
        if error := next(faults, None):
            raise error

    path.fault = passing
    await path.given_published(addon_state())
    async with path.running():
        await until(lambda: _equals(path.effects(), 1))
        assert await path.count("select count(*) from parked where fact_id is not null") == 0


@pytest.mark.parametrize("headers", [[("ce_id", b"\xff\xfe")], [("ce_id", None)], [], [("ce_type", b"x")]])
async def test_a_record_that_is_no_fact_is_parked_with_its_bytes(
    path: Path, kafka_bootstrap: str, headers: list[tuple[str, Any]]
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await producer.start()
    marker = uuid.uuid4().hex.encode()
    try:
        await producer.send_and_wait(TOPIC, marker, key=b"k", headers=headers)
    finally:
        await producer.stop()
    await path.given_published(addon_state())

    async with path.running():
        await until(lambda: _equals(path.effects(), 1))
        found = f"select count(*) from parked where value = '{marker.decode()}'::bytea"
        await until(lambda: _equals(path.count(found), 1))


async def test_a_parked_fact_is_applied_when_the_id_that_it_waits_for_is_stored(path: Path) -> None:
    fact = addon_state()
    await path.given_published(fact)
    known = False

    async def handle(session: AsyncSession, batch: Sequence[Received]) -> None:
        for received in batch:
            if received.fact.id == fact.id and not known:
                await parked.park(session, received, consumer=path.group, reason="unknown id", waits_for="pi_1")
            elif received.fact.id == fact.id:
                await session.execute(text("insert into effects values (:id)"), {"id": fact.id})

    path.handle = handle  # type: ignore[method-assign]
    async with path.running():
        await until(
            lambda: _equals(
                path.count("select count(*) from parked where resolved_at is null and waits_for = 'pi_1'"), 1
            )
        )

        known = True
        async with path.database.transaction() as session:
            await parked.lock_ids(session, ["pi_1"])
            await parked.release(session, ids=["pi_1"])

        await until(lambda: _equals(path.effects(), 1))
        assert await path.count("select count(*) from parked where resolution = 'applied'") == 1


async def _equals(actual: Awaitable[int], expected: int) -> bool:
    return await actual == expected
