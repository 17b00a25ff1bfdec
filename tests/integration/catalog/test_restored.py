"""A catalog that is a copy of before takes over what it had published, and says all of it anew."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from catalog.actors import SEED
from catalog.bodies import AddonEdit, NewAddon
from catalog.handlers.addons import create_addon, edit_addon
from catalog.handlers.plans import edit_plan
from catalog.handlers.read_back import read_back
from catalog.main import MIGRATIONS
from catalog.numbered import LEDGER
from catalog.plan_bodies import PlanEdit
from catalog.publisher import addon_state, plan_state
from catalog.seed import plant_seed
from catalog.tables import Addon, Plan
from chassis.database.database import Database
from chassis.kafka.records import Received, decode
from chassis.outbox.relay import Relay
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from chassis.recovery.numbered import topics_of
from chassis.recovery.published import published_records
from chassis.recovery.read_back import read_back_once
from contracts import AddonState, PlanState
from tests.stack.postgres import NewDatabase, Template

Change = Callable[[Any], Awaitable[object]]
State = AddonState | PlanState


class Restorable:
    """One database of a catalog."""

    def __init__(self, url: str, settings: ServiceSettings) -> None:
        self.url = url
        self.settings = settings

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Database]:
        async with Database(self.url, name="restored-catalog") as database:
            yield database

    async def when(self, change: Change) -> None:
        async with self.opened() as database, database.transaction() as session:
            await change(session)

    async def relayed(self) -> None:
        """Relay until Kafka was compared, and nothing is left to send."""
        metrics.COMPARED_AT.set(metrics.UNKNOWN)
        async with self.opened() as database:
            relay = Relay(database=database, settings=self.settings, health=Health(), ledger=LEDGER)
            async with relay.running(), asyncio.timeout(60):
                while math.isnan(metrics.COMPARED_AT._value.get()) or await waiting(database):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    async def read_back(self) -> bool:
        async with self.opened() as database:
            return await read_back_once(database, partial(read_back, database=database, settings=self.settings))

    async def states(self) -> dict[str, State]:
        """What its rows say, by subject."""
        async with self.opened() as database, database.reading() as session:
            addons = (await session.scalars(select(Addon))).all()
            plans = (await session.scalars(select(Plan))).all()
        said: list[State] = [*map(addon_state, addons), *map(plan_state, plans)]
        return {state.subject: state for state in said}

    async def last_published(self) -> dict[str, State]:
        """The last state of each key on Kafka."""
        found: dict[str, State] = {}
        async with published_records(self.settings, topics_of(LEDGER)) as records:
            async for batch in records.read(await records.whole()):
                for received in map(decode, batch):
                    if isinstance(received, Received) and isinstance(received.fact, AddonState | PlanState):
                        found[received.fact.subject] = received.fact
        return found


async def waiting(database: Database) -> int:
    async with database.reading() as session:
        return len((await session.execute(select(Addon.metadata.tables["outbox"].c.id))).all())


@pytest.fixture
async def lost(database_url: NewDatabase, template: Template, kafka_bootstrap: str) -> Restorable:
    settings = ServiceSettings(app_env="testing", kafka_bootstrap_servers=kafka_bootstrap)
    catalog = Restorable(await database_url(like=await template(MIGRATIONS)), settings)
    await catalog.when(lambda session: plant_seed(session=session, now=datetime.now(UTC)))
    await catalog.relayed()
    return catalog


def timeless(states: dict[str, State]) -> dict[str, Any]:
    return {subject: state.model_dump(exclude={"sequence", "occurred_at"}) for subject, state in states.items()}


async def test_what_was_published_is_taken_over_and_said_anew(lost: Restorable, database_url: NewDatabase) -> None:
    """An add-on that was edited, one that was made, a plan with other prices: as buyers and purchases know them."""
    [known] = [one for one in (await lost.states()).values() if isinstance(one, AddonState)]
    backup = Restorable(await database_url(like=lost.url.rpartition("/")[2]), lost.settings)
    now = datetime.now(UTC)
    cheaper, more = (
        AddonEdit.model_validate({"price": "399.00", "is_active": True}),
        NewAddon.model_validate({"name": "Second", "price": "99.00"}),
    )
    plan = PlanEdit.model_validate({"prices": [{"interval": "month", "currency": "EUR", "price": "12.00"}]})
    await lost.when(
        lambda session: edit_addon(
            session=session, addon_id=known.addon_id, if_match="*", edit=cheaper, by=SEED, now=now
        )
    )
    await lost.when(lambda session: create_addon(session=session, new=more, by=SEED, now=now))
    await lost.when(
        lambda session: edit_plan(session=session, slug="builder", if_match="*", edit=plan, by=SEED, now=now)
    )
    await lost.relayed()
    before = await lost.states()

    await backup.relayed()
    assert await backup.read_back()
    await backup.relayed()

    after, published = await backup.states(), await backup.last_published()
    assert timeless(after) == timeless(before)
    assert {subject: published[subject] for subject in after} == after
    assert all(after[subject].sequence > before[subject].sequence for subject in before)


async def test_a_catalog_that_lost_nothing_has_nothing_to_read_back(
    lost: Restorable, database_url: NewDatabase
) -> None:
    backup = Restorable(await database_url(like=lost.url.rpartition("/")[2]), lost.settings)

    await backup.relayed()

    assert not await backup.read_back()
    assert await backup.states() == await lost.states()
