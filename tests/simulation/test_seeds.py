"""Whatever order, faults and deaths a seed draws: the promises hold at each step, and all heals to Stripe's truth."""

import os
from collections.abc import AsyncIterator
from functools import partial
from random import Random
from typing import Final

import pytest

from purchases.main import MIGRATIONS
from tests.simulation.acts import ACTS, act
from tests.simulation.parts import FailingDatabase
from tests.simulation.promises import hold_always, hold_when_healed
from tests.simulation.scheduler import TRACE, Scheduler
from tests.simulation.world import World, a_world, healed, seeded
from tests.stack.postgres import NewDatabase, Template

SEEDS: Final = int(os.environ.get("SEEDS") or 100)
ONLY: Final = os.environ.get("SEED")
"""One seed, to see it again."""
BLOCK: Final = 25
AT_ONCE: Final = 3
STEPS: Final = (30, 110)
CRASH: Final = 0.02
SPOILED: Final = 0.06


@pytest.fixture(scope="module")
async def world(module_database_url: NewDatabase, template: Template) -> AsyncIterator[World]:
    url = await module_database_url(like=await template(MIGRATIONS))
    async with FailingDatabase(url, name="simulation") as database, a_world(database) as world:
        yield world


def _blocks() -> list[range]:
    if ONLY:
        return [range(int(ONLY), int(ONLY) + 1)]
    return [range(first, min(first + BLOCK, SEEDS)) for first in range(0, SEEDS, BLOCK)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seeds", _blocks(), ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
async def test_whatever_fails_and_dies_the_promises_hold(world: World, seeds: range) -> None:
    for seed in seeds:
        async with seeded(world, seed) as mine:
            try:
                await _lived_through(mine)
            except BaseException as failure:
                failure.add_note(f"again with: make simulate SEED={seed}\n" + "\n".join(TRACE.get()[-200:]))
                raise


async def _lived_through(world: World) -> None:
    await _chaos(world, world.random)
    await healed(world, all_webhooks_lost=world.random.random() < 0.5)
    await hold_when_healed(world)


async def _chaos(world: World, random: Random) -> None:
    async def after_step() -> None:
        if world.mishaps.committed:
            world.mishaps.committed = False
            await hold_always(world)

    scheduler = Scheduler(random=random, after_step=after_step, crash=CRASH)
    world.mishaps.database = world.mishaps.stripe = SPOILED
    for _ in range(random.randint(*STEPS)):
        while len(scheduler.running) < AT_ONCE:
            (doing,) = random.choices(list(ACTS), weights=list(ACTS.values()))
            scheduler.start(doing.__name__, partial(act, world, doing))
        await scheduler.step()
    await scheduler.bury()
