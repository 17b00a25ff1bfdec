"""The seed is planted once, and never touches what became of it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from catalog.seed import plant_seed
from tests.integration.catalog.conftest import Catalog

EVERYTHING = ["professional-ai-setup", "free", "builder"]


async def plant(catalog: Catalog) -> list[str]:
    async with catalog.database.transaction() as session:
        return await plant_seed(session=session, now=datetime.now(UTC))


async def state(catalog: Catalog) -> list[Any]:
    return [await catalog.rows(), await catalog.plans(), await catalog.changes(), await catalog.outbox()]


async def test_the_seed_has_the_professional_ai_setup_for_499_euro_inactive(catalog: Catalog) -> None:
    assert await plant(catalog) == EVERYTHING

    [addon], facts = await catalog.rows(), await catalog.outbox()
    assert (addon.slug, addon.name) == ("professional-ai-setup", "Professional AI Setup")
    assert (addon.price_cents, addon.currency, addon.is_active) == (49900, "EUR", False)
    assert [str(addon.id), "free", "builder"] == [fact.key for fact in facts]


async def test_the_seed_has_a_free_plan_and_builder_for_9_a_month_and_89_a_year_in_euro_and_dollars(
    catalog: Catalog,
) -> None:
    await plant(catalog)

    free, builder = await catalog.plans()

    assert free == {
        "slug": "free",
        "name": "Free",
        "caps": {"byok_keys": 0, "projects": 1, "seats": 1},
        "prices": [],
    }
    assert builder == {
        "slug": "builder",
        "name": "Builder",
        "caps": {"byok_keys": None, "projects": None, "seats": 10},
        "prices": [
            {"interval": "month", "currency": "EUR", "price_cents": 900, "price": "9.00"},
            {"interval": "year", "currency": "EUR", "price_cents": 8900, "price": "89.00"},
            {"interval": "month", "currency": "USD", "price_cents": 900, "price": "9.00"},
            {"interval": "year", "currency": "USD", "price_cents": 8900, "price": "89.00"},
        ],
    }


async def test_planting_it_again_changes_nothing(catalog: Catalog) -> None:
    await plant(catalog)
    before = await state(catalog)

    assert await plant(catalog) == []

    assert before == await state(catalog)


async def test_planting_it_again_leaves_what_an_admin_made_of_it(catalog: Catalog) -> None:
    await plant(catalog)
    async with catalog.staff() as staff:
        [addon] = (await staff.get("/v1/admin/addons")).json()["items"]
    await catalog.edit(addon, {"name": "Ours", "price": "10.00", "is_active": True})
    await catalog.edit_plan("builder", {"name": "Ours", "caps": {"seats": 3}, "prices": []})
    edited = await state(catalog)

    assert await plant(catalog) == []

    assert edited == await state(catalog)


async def test_what_a_later_version_adds_is_planted_beside_what_is_there(catalog: Catalog) -> None:
    mine = await catalog.given_an_addon(name="Professional AI Setup", price="1.00")

    assert await plant(catalog) == ["free", "builder"]

    assert [mine["id"]] == [str(row.id) for row in await catalog.rows()]


async def test_planted_ten_times_at_once_it_is_there_once(catalog: Catalog) -> None:
    planted = await asyncio.gather(*(plant(catalog) for _ in range(10)))

    assert sorted(slug for slugs in planted for slug in slugs) == sorted(EVERYTHING)
    assert len(await catalog.outbox()) == len(await catalog.changes()) == 3
