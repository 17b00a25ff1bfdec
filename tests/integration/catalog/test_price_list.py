"""Everyone sees what is on sale, in the order of the page, and transfers it only when it changed."""

import asyncio

import pytest

from catalog.price_list import FRESH_SECONDS, PriceListCache, addons_on_sale
from tests.integration.catalog.conftest import ADDONS, Catalog


async def test_only_active_addons_are_shown_by_sort_order_then_name(catalog: Catalog) -> None:
    for name, sort_order, is_active in [
        ("Beta", 1, True),
        ("alpha", 1, True),
        ("Älter", 1, True),
        ("Alpine", 1, True),
        ("Hidden", 0, False),
        ("Last", 2, True),
        ("First", -1, True),
    ]:
        await catalog.given_an_addon(name=name, sort_order=sort_order, is_active=is_active)

    assert [addon["name"] for addon in await catalog.price_list()] == [
        "First",
        "alpha",
        "Alpine",
        "Beta",
        "Älter",
        "Last",
    ]


async def test_staff_see_all_of_them_in_the_same_order(catalog: Catalog) -> None:
    for name, sort_order in [("Beta", 1), ("Alpha", 1), ("First", -1)]:
        await catalog.given_an_addon(name=name, sort_order=sort_order)

    async with catalog.staff() as staff:
        answer = await staff.get(ADDONS)

    assert [addon["name"] for addon in answer.json()["items"]] == ["First", "Alpha", "Beta"]
    assert "no-store" in answer.headers["cache-control"]


async def test_nothing_internal_is_shown(catalog: Catalog) -> None:
    await catalog.given_an_addon(is_active=True)

    [shown] = await catalog.price_list()

    assert set(shown) == {"id", "slug", "name", "description", "bullets", "price_cents", "currency", "price"}


async def test_nothing_on_sale_is_an_empty_list(catalog: Catalog) -> None:
    assert await catalog.price_list() == []


@pytest.mark.parametrize("form", ["{etag}", "W/{etag}", '"other", {etag}', "*"])
async def test_who_holds_the_list_already_gets_304(catalog: Catalog, form: str) -> None:
    await catalog.given_an_addon(is_active=True)
    async with catalog.client() as anybody:
        first = await anybody.get("/v1/addons")

        again = await anybody.get("/v1/addons", headers={"If-None-Match": form.format(etag=first.headers["etag"])})

    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["etag"] == again.headers["etag"]
    assert first.headers["cache-control"] == again.headers["cache-control"] == "public, max-age=0, must-revalidate"


@pytest.mark.parametrize("sent", ['"other"', "", "nonsense", "\xff"])
async def test_who_holds_another_list_gets_this_one(catalog: Catalog, sent: str) -> None:
    async with catalog.client() as anybody:
        answer = await anybody.get("/v1/addons", headers={b"If-None-Match": sent.encode("latin-1")})

    assert answer.status_code == 200


async def test_an_edit_is_seen_at_once_and_changes_the_etag(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon(is_active=True)
    async with catalog.client() as anybody:
        before = await anybody.get("/v1/addons")

        await catalog.edit(addon, {"price": "599.00"})
        after = await anybody.get("/v1/addons", headers={"If-None-Match": before.headers["etag"]})

    assert after.status_code == 200
    assert after.json()["items"][0]["price"] == "599.00"


async def test_an_edit_in_another_process_is_seen_within_a_second(catalog: Catalog) -> None:
    elsewhere = PriceListCache(catalog.database, addons_on_sale)
    before = await elsewhere.current()
    await catalog.given_an_addon(is_active=True)

    await asyncio.sleep(FRESH_SECONDS + 0.05)

    assert (await elsewhere.current()).etag != before.etag


async def test_a_front_end_on_an_allowed_origin_may_read_it(catalog: Catalog) -> None:
    async with catalog.client() as anybody:
        allowed = await anybody.get("/v1/addons", headers={"Origin": "https://app.example"})
        foreign = await anybody.get("/v1/addons", headers={"Origin": "https://evil.example"})

    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in foreign.headers
