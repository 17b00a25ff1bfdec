"""The seed is planted once, and never touches what became of it."""

import asyncio
from datetime import UTC, datetime

from catalog.seed import plant_seed
from tests.integration.catalog.conftest import Catalog


async def plant(catalog: Catalog) -> bool:
    async with catalog.database.transaction() as session:
        return await plant_seed(session=session, now=datetime.now(UTC))


async def test_the_seed_is_the_professional_ai_setup_for_499_euro_inactive(catalog: Catalog) -> None:
    assert await plant(catalog)

    [addon], facts = await catalog.rows(), await catalog.outbox()
    assert (addon.slug, addon.name) == ("professional-ai-setup", "Professional AI Setup")
    assert (addon.price_cents, addon.currency, addon.is_active) == (49900, "EUR", False)
    assert [str(addon.id)] == [fact.key for fact in facts]


async def test_planting_it_again_changes_nothing(catalog: Catalog) -> None:
    await plant(catalog)
    before = [await catalog.rows(), await catalog.outbox()]

    assert not await plant(catalog)

    assert before == [await catalog.rows(), await catalog.outbox()]


async def test_planting_it_again_leaves_what_an_admin_made_of_it(catalog: Catalog) -> None:
    await plant(catalog)
    async with catalog.staff() as staff:
        [addon] = (await staff.get("/v1/admin/addons")).json()["items"]
    edited = await catalog.edit(addon, {"name": "Ours", "price": "10.00", "is_active": True})

    assert not await plant(catalog)

    assert edited.json() == await catalog.shown(addon)
    assert len(await catalog.outbox()) == 2


async def test_an_addon_that_took_the_slug_before_is_left_alone(catalog: Catalog) -> None:
    mine = await catalog.given_an_addon(name="Professional AI Setup", price="1.00")

    assert not await plant(catalog)

    assert [mine["id"]] == [str(row.id) for row in await catalog.rows()]


async def test_planted_ten_times_at_once_it_is_there_once(catalog: Catalog) -> None:
    planted = await asyncio.gather(*(plant(catalog) for _ in range(10)))

    assert planted.count(True) == 1
    assert len(await catalog.rows()) == len(await catalog.outbox()) == 1
