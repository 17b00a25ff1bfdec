"""Every change says for ever who made it and what was before and after; staff can read it page by page."""

import json
from typing import Any

import pytest

from tests.integration.catalog.conftest import Catalog

AUDIT = "/v1/admin/audit"
MIRA = {"actor": "staff:usr_mira", "actor_email": "mira@quittance.example"}


def subject(addon: dict[str, Any]) -> str:
    return f"addon:{addon['id']}"


async def pages(catalog: Catalog, **query: Any) -> list[list[dict[str, Any]]]:
    """Return all pages, as a client that follows `next_cursor` gets them."""
    found: list[list[dict[str, Any]]] = []
    async with catalog.staff() as staff:
        while True:
            page = (await staff.get(AUDIT, params=query)).json()
            found.append(page["items"])
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]


async def test_it_tells_who_did_what_before_and_after(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon()
    edited = (await catalog.edit(addon, {"price": "599.00", "is_active": True})).json()
    await catalog.withdraw(edited)

    withdrawn, edit, creation = await catalog.changes(subject=subject(addon))

    assert {"staff:usr_mira"} == {one["actor"] for one in (withdrawn, edit, creation)}
    assert {field: edit[field] for field in MIRA} == MIRA
    assert [one["action"] for one in (withdrawn, edit, creation)] == ["withdrawn", "edited", "created"]
    assert (withdrawn["changed"], edit["changed"]) == (["is_active"], ["is_active", "price_cents"])
    assert creation["before"] is None
    assert (edit["before"], withdrawn["before"]) == (creation["after"], edit["after"])
    assert (edit["before"]["price_cents"], edit["after"]["price_cents"]) == (49900, 59900)
    assert edit["occurred_at"] == edited["updated_at"]


async def test_what_it_tells_after_each_change_is_what_was_published(catalog: Catalog) -> None:
    await catalog.given_the_seed()
    await catalog.edit_plan("builder", {"caps": {"seats": 3}, "prices": []})
    await catalog.edit(await catalog.given_an_addon(), {"name": "Other"})

    published = [json.loads(row.payload) for row in await catalog.outbox()]

    assert published == [one["after"] for one in reversed(await catalog.changes())]


async def test_what_was_refused_or_changed_nothing_is_not_in_it(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon()
    await catalog.edit(addon, {"price": "0.01", "name": "Other"})
    await catalog.edit(addon, {"name": "Setup"})
    await catalog.edit(addon | {"sequence": 9}, {"name": "Other"})

    assert len(await catalog.changes()) == 1


async def test_the_seed_is_nobody_s_but_ours(catalog: Catalog) -> None:
    await catalog.given_the_seed()

    assert {("quittance:seed", None)} == {(one["actor"], one["actor_email"]) for one in await catalog.changes()}


async def test_markup_in_a_name_is_kept_as_text(catalog: Catalog) -> None:
    await catalog.given_an_addon(name="<b>Setup</b>")

    [change] = await catalog.changes()

    assert change["after"]["name"] == "<b>Setup</b>"


async def test_one_subject_can_be_filtered_from_the_others(catalog: Catalog) -> None:
    await catalog.given_the_seed()
    addon = await catalog.given_an_addon()

    assert [subject(addon)] == [one["subject"] for one in await catalog.changes(subject=subject(addon))]
    assert [one["subject"] for one in await catalog.changes(subject="plan:free")] == ["plan:free"]
    assert await catalog.changes(subject="plan:nonsense") == []


async def test_pages_are_the_whole_log_once_although_it_grows_meanwhile(catalog: Catalog) -> None:
    for number in range(5):
        await catalog.given_an_addon(name=f"Setup {number}")
    async with catalog.staff() as staff:
        first = (await staff.get(AUDIT, params={"limit": 2})).json()
        await catalog.given_an_addon(name="Later")
        second = (await staff.get(AUDIT, params={"limit": 2, "cursor": first["next_cursor"]})).json()
        third = (await staff.get(AUDIT, params={"limit": 2, "cursor": second["next_cursor"]})).json()

    names = [one["after"]["name"] for page in (first, second, third) for one in page["items"]]
    assert names == ["Setup 4", "Setup 3", "Setup 2", "Setup 1", "Setup 0"]
    assert third["next_cursor"] is None


async def test_the_last_full_page_is_the_last(catalog: Catalog) -> None:
    for number in range(4):
        await catalog.given_an_addon(name=f"Setup {number}")

    assert [len(page) for page in await pages(catalog, limit=2)] == [2, 2]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"cursor": "nonsense"}, "invalid-cursor"),
        ({"cursor": "eyJpZCI6LTF9"}, "invalid-cursor"),
        ({"cursor": "eyJpZCI6IjEifQ"}, "invalid-cursor"),
        ({"cursor": ""}, "invalid-cursor"),
        ({"cursor": "ü"}, "invalid-cursor"),
        ({"cursor": "x" * 2001}, "invalid-request"),
        ({"limit": "0"}, "invalid-request"),
        ({"limit": "201"}, "invalid-request"),
        ({"limit": "many"}, "invalid-request"),
        ({"subject": "x" * 201}, "invalid-request"),
    ],
    ids=str,
)
async def test_a_bad_question_is_422(catalog: Catalog, query: dict[str, str], problem: str) -> None:
    async with catalog.staff() as staff:
        answer = await staff.get(AUDIT, params=query)

    assert (422, f"https://quittance.dev/problems/{problem}") == (answer.status_code, answer.json()["type"])
