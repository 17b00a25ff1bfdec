"""Staff read a long list of add-ons page by page, in the order of the page, whatever happens meanwhile."""

from typing import Any

import pytest

from tests.integration.catalog.conftest import ADDONS, Catalog


async def page(catalog: Catalog, **query: Any) -> dict[str, Any]:
    async with catalog.staff() as staff:
        answer: dict[str, Any] = (await staff.get(ADDONS, params=query)).json()
    return answer


async def all_names(catalog: Catalog, *, limit: int, **query: Any) -> list[str]:
    """Return what a client that follows `next_cursor` gets."""
    names: list[str] = []
    while True:
        got = await page(catalog, limit=limit, **query)
        names += [addon["name"] for addon in got["items"]]
        if got["next_cursor"] is None:
            return names
        query["cursor"] = got["next_cursor"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_of_any_size_are_the_whole_list_in_its_order(catalog: Catalog, limit: int) -> None:
    for name in ("beta", "Alpha", "alpha", "ALPHA", "Émile", "zeta"):
        await catalog.given_an_addon(name=name)
    await catalog.given_an_addon(name="first", sort_order=-5)

    names = await all_names(catalog, limit=limit)

    assert names == ["first", "Alpha", "alpha", "ALPHA", "beta", "zeta", "Émile"]


async def test_what_is_added_before_the_cursor_repeats_nothing_and_after_it_is_shown(catalog: Catalog) -> None:
    for name in ("b", "d", "f", "h"):
        await catalog.given_an_addon(name=name)
    first = await page(catalog, limit=2)

    for name in ("a", "c", "e", "i"):
        await catalog.given_an_addon(name=name)

    rest = await all_names(catalog, limit=2, cursor=first["next_cursor"])
    assert ([addon["name"] for addon in first["items"]], rest) == (["b", "d"], ["e", "f", "h", "i"])


async def test_a_cursor_outlives_the_row_that_it_stands_behind(catalog: Catalog) -> None:
    addons = [await catalog.given_an_addon(name=name) for name in ("a", "b", "c")]
    first = await page(catalog, limit=2)
    await catalog.edit(addons[1], {"name": "z"})

    assert await all_names(catalog, limit=2, cursor=first["next_cursor"]) == ["c", "z"]


@pytest.mark.parametrize(("active", "expected"), [("true", ["on"]), ("false", ["off", "out"])])
async def test_they_can_be_filtered_by_being_active(catalog: Catalog, active: str, expected: list[str]) -> None:
    await catalog.given_an_addon(name="on", is_active=True)
    await catalog.given_an_addon(name="off")
    await catalog.withdraw(await catalog.given_an_addon(name="out", is_active=True))

    assert expected == await all_names(catalog, limit=1, active=active)


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "nonsense"},
        {"cursor": "eyJzb3J0X29yZGVyIjoyMTQ3NDgzNjQ4LCJuYW1lIjoiYSIsInNsdWciOiJhIn0"},
        {"cursor": "eyJzb3J0X29yZGVyIjowLCJuYW1lIjoiXHUwMDAwIiwic2x1ZyI6ImEifQ"},
        {"cursor": "eyJpZCI6MX0"},
        {"active": "perhaps"},
        {"limit": "-1"},
    ],
    ids=["no base64", "a sort order beyond the column", "NUL in the name", "of another list", "active", "limit"],
)
async def test_a_bad_question_is_422(catalog: Catalog, query: dict[str, str]) -> None:
    async with catalog.staff() as staff:
        answer = await staff.get(ADDONS, params=query)

    assert answer.status_code == 422
    assert answer.json()["type"].startswith("https://quittance.dev/problems/invalid-")
