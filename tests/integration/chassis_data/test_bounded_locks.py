"""Locks are bounded: full batches fit beside each other at PostgreSQL's defaults, and what does not fit is halved."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.database.tables import inbox_table, parked_table
from chassis.kafka.progress import Progress
from chassis.kafka.records import Received, StoredRecord
from chassis.outbox import parked
from chassis.outbox.applying import Applier
from chassis.outbox.consumer import Consumer, Handler
from chassis.outbox.fates import FATES
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from contracts import TOPICS, AddonState, seal
from tests.integration.chassis_data.test_message_path import addon_state
from tests.stack.postgres import NewDatabase

IDS_OF_A_FULL_BATCH = 2_000
"""500 invoices of a version before basil name four ids each."""
BATCHES = 12
"""One for each partition of the topic: no more are applied at once."""
HELD = "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def database(database_url: NewDatabase) -> AsyncIterator[Database]:
    metadata = MetaData()
    for table in (inbox_table, parked_table):
        table(metadata)
    async with Database(await database_url(), name="test", pool_size=BATCHES) as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
            await connection.execute(text("create table effects(id uuid primary key)"))
        yield database


async def test_the_server_of_the_tests_has_postgresqls_own_bounds(database: Database) -> None:
    """As that of compose: nothing passes here that would fail there."""
    bounds = "('max_connections', 'max_locks_per_transaction', 'max_prepared_transactions')"
    async with database.reading() as session:
        changed = await session.execute(
            text(f"select name from pg_settings where name in {bounds} and setting <> boot_val")
        )

    assert list(changed.scalars()) == []


async def test_twelve_full_batches_at_once_fit_into_the_lock_table(database: Database) -> None:
    batches = [[f"id-{number}-{one}" for one in range(IDS_OF_A_FULL_BATCH)] for number in range(BATCHES)]

    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(database.transaction()) for _ in batches]
        for session, ids in zip(sessions, batches, strict=True):
            await parked.lock_ids(session, (), stored=ids)
        held = [(await session.execute(text(HELD))).scalar_one() for session in sessions]

    assert max(held) <= parked.LOCKS


async def test_who_parks_waits_for_who_stores_and_not_the_other_way_round_for_others(database: Database) -> None:
    async with database.transaction() as one, database.transaction() as other, database.transaction() as parking:
        await parked.lock_ids(one, (), stored=["pi_1"])
        await asyncio.wait_for(parked.lock_ids(other, (), stored=["pi_1"]), 5)
        waiting = asyncio.create_task(parked.lock_ids(parking, ["pi_1"]))
        await one.rollback()
        assert not waiting.done()
        await other.rollback()
        await asyncio.wait_for(waiting, 5)


async def test_what_is_parked_on_and_stored_is_locked_alone(database: Database) -> None:
    async with database.transaction() as parking:
        await parked.lock_ids(parking, ["pi_1"], stored=["pi_1", "pi_2"])
        modes = await parking.execute(text("select mode from pg_locks where locktype = 'advisory' order by mode"))

    assert list(modes.scalars()) == ["ExclusiveLock", "ShareLock"]


@pytest.mark.parametrize("ids", [("pi_1", "pi_2"), ("pi_2", "pi_1")])
async def test_each_may_park_on_what_the_other_stores(database: Database, ids: tuple[str, str]) -> None:
    """Locks come in one order and at once: who took those to park on first, and the others then, would deadlock."""
    one, other = ids
    async with database.transaction() as holding:
        await parked.lock_ids(holding, [other])
        crossing = [asyncio.create_task(_locks(database, park=other, store=one))]
        await _until_waiting(database, 1)
        crossing.append(asyncio.create_task(_locks(database, park=one, store=other)))
        await _until_waiting(database, 2)

    await asyncio.wait_for(asyncio.gather(*crossing), 10)


async def _locks(database: Database, *, park: str, store: str) -> None:
    async with database.transaction() as session:
        await parked.lock_ids(session, [park], stored=[store])


async def _until_waiting(database: Database, number: int) -> None:
    """Until so many transactions wait for an advisory lock."""
    waiting = text("select count(distinct pid) from pg_locks where locktype = 'advisory' and not granted")
    async with asyncio.timeout(10):
        while True:
            async with database.reading() as session:
                if (await session.execute(waiting)).scalar_one() == number:
                    return
            await asyncio.sleep(0.02)


async def test_a_batch_that_does_not_fit_into_the_lock_table_is_halved(database: Database) -> None:
    """PostgreSQL says so itself: 1,000 locks a fact are too many for a batch of 40."""
    sizes: list[int] = []
    facts = [addon_state() for _ in range(40)]

    async def handle(session: AsyncSession, batch: Sequence[Received]) -> None:
        sizes.append(len(batch))
        locks = text("select count(pg_advisory_xact_lock(n)) from generate_series(1, :number) as n")
        await session.execute(locks, {"number": 1_000 * len(batch)})
        for received in batch:
            await session.execute(text("insert into effects values (:id)"), {"id": received.envelope.id})

    await _consumer(database, handle)._on_batch([_record(fact, offset) for offset, fact in enumerate(facts)])

    async with database.reading() as session:
        applied = (await session.execute(text("select count(*) from effects"))).scalar_one()
        set_aside = (await session.execute(text("select count(*) from parked"))).scalar_one()
    assert (applied, set_aside) == (len(facts), 0)
    assert sizes[0] == len(facts)
    assert max(sizes[1:]) < len(facts)


async def test_a_batch_that_is_halved_for_long_shows_that_the_loop_runs(database: Database) -> None:
    """Each statement takes its minute, and nothing is waited out between them."""
    clock = Clock()
    progress = Progress("test", clock=clock)
    late: list[bool] = []

    async def handle(session: AsyncSession, batch: Sequence[Received]) -> None:
        late.append(progress.loop_is_late)
        clock.now += 60
        if len(batch) > 1:
            await session.execute(text("set local statement_timeout = 1"))
            await session.execute(text("select pg_sleep(60)"))

    applier = Applier(
        group="test", database=database, handle=handle, fates=FATES, progress=progress, stop=asyncio.Event()
    )
    await applier.take([_record(addon_state(), offset) for offset in range(8)])

    assert len(late) == 15, "eight, halved down to each"
    assert not any(late)


def _consumer(database: Database, handle: Handler) -> Consumer:
    settings = ServiceSettings(app_env="testing")
    group = f"test-{uuid.uuid4().hex[:8]}"
    return Consumer(topics=(), group=group, database=database, handle=handle, settings=settings, health=Health())


def _record(fact: AddonState, offset: int) -> StoredRecord:
    headers = seal(fact, occurred_at=fact.occurred_at).to_headers()
    topic = TOPICS[AddonState].name
    return StoredRecord(topic, 0, offset, fact.key.encode(), fact.model_dump_json().encode(), headers)
