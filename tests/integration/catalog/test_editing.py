"""An edit needs the state that it edits, changes what it names, and is published once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from catalog.tables import Addon
from tests.integration.catalog.conftest import ADDONS, Catalog

BAD_EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "the slug": ({"slug": "another"}, "slug-locked"),
    "the slug beside something good": ({"slug": "setup", "name": "Setup"}, "slug-locked"),
    "name null": ({"name": None}, "invalid-request"),
    "a name of 121 characters": ({"name": "x" * 121}, "invalid-request"),
    "price null": ({"price": None}, "invalid-request"),
    "is_active null": ({"is_active": None}, "invalid-request"),
    "sort_order null": ({"sort_order": None}, "invalid-request"),
    "9 bullets": ({"bullets": ["x"] * 9}, "invalid-request"),
    "a bullet of 201 characters": ({"bullets": ["x" * 201]}, "invalid-request"),
    "two prices": ({"price": "5.00", "price_cents": 500}, "price-ambiguous"),
    "too many decimals": ({"price": "5.001"}, "too-many-decimals"),
    "below the minimum": ({"price_cents": 49}, "below-minimum"),
    "an unknown currency": ({"currency": "XXX", "price": "5"}, "unsupported-currency"),
    "another currency without its price": ({"currency": "USD"}, "price-required"),
    "an unknown field": ({"stripe_price_id": "price_1"}, "invalid-request"),
    "the sequence": ({"sequence": 9}, "invalid-request"),
}


async def given_a_provisioned_price(catalog: Catalog) -> dict[str, Any]:
    """Return an add-on that was bought once, so that Stripe's price for it is known."""
    addon = await catalog.given_an_addon()
    async with catalog.database.transaction() as session:
        await session.execute(update(Addon).values(stripe_price_id="price_1"))
    return addon


async def test_an_edit_changes_what_it_names_and_nothing_else(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon(description="Old", bullets=["one"], sort_order=4)

    answer = await catalog.edit(addon, {"name": "Other name", "is_active": True})

    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    after = addon | {"name": "Other name", "is_active": True, "sequence": 2, "updated_at": answer.json()["updated_at"]}
    assert after == answer.json() == await catalog.shown(addon)
    assert answer.json()["updated_at"] > addon["updated_at"]


async def test_the_slug_stays_when_the_name_changes(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon(name="Setup")

    await catalog.edit(addon, {"name": "Something else"})

    assert (await catalog.shown(addon))["slug"] == "setup"


async def test_null_empties_description_and_bullets(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon(description="Old", bullets=["one"])

    answer = await catalog.edit(addon, {"description": None, "bullets": None})

    assert (answer.json()["description"], answer.json()["bullets"]) == (None, [])


async def test_bullets_keep_the_order_that_they_are_given(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon(bullets=["one", "two", "three"])

    answer = await catalog.edit(addon, {"bullets": ["three", "one", "two"]})

    assert answer.json()["bullets"] == ["three", "one", "two"]
    assert answer.json()["sequence"] == 2


@pytest.mark.parametrize("case", BAD_EDITS)
async def test_a_bad_edit_is_refused_and_changes_nothing(catalog: Catalog, case: str) -> None:
    changes, problem = BAD_EDITS[case]
    addon = await catalog.given_an_addon()

    answer = await catalog.edit(addon, changes)

    assert (422, f"https://quittance.dev/problems/{problem}") == (answer.status_code, answer.json()["type"])
    assert addon == await catalog.shown(addon)
    assert len(await catalog.outbox()) == 1


@pytest.mark.parametrize(
    "changes", [{"price": "599.00"}, {"price_cents": 59900}, {"price": "499.00", "currency": "USD"}], ids=str
)
async def test_another_price_or_currency_needs_another_stripe_price(catalog: Catalog, changes: dict[str, Any]) -> None:
    addon = await given_a_provisioned_price(catalog)

    answer = await catalog.edit(addon, changes)

    assert answer.json()["stripe_price_id"] is None


@pytest.mark.parametrize("changes", [{"name": "Other"}, {"price": "499", "currency": "eur", "sort_order": 1}], ids=str)
async def test_the_stripe_price_is_kept_while_the_price_is_the_same(catalog: Catalog, changes: dict[str, Any]) -> None:
    addon = await given_a_provisioned_price(catalog)

    answer = await catalog.edit(addon, changes)

    assert answer.json()["stripe_price_id"] == "price_1"


@pytest.mark.parametrize(
    "changes", [{}, {"name": "Setup"}, {"price": "499", "bullets": None}, {"is_active": False}], ids=str
)
async def test_an_edit_that_changes_nothing_is_not_published(catalog: Catalog, changes: dict[str, Any]) -> None:
    addon = await catalog.given_an_addon()

    answer = await catalog.edit(addon, changes)

    assert (200, addon) == (answer.status_code, answer.json())
    assert len(await catalog.outbox()) == 1


async def test_deleting_takes_off_sale_and_keeps_the_row(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon(is_active=True)

    answer = await catalog.withdraw(addon)

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (204, b"", '"2"')
    assert await catalog.price_list() == []
    assert (await catalog.shown(addon))["is_active"] is False


async def test_what_was_deleted_can_be_put_on_sale_again(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon(is_active=True)
    await catalog.withdraw(addon)

    answer = await catalog.edit(addon | {"sequence": 2}, {"is_active": True})

    assert answer.status_code == 200
    assert [addon["id"]] == [shown["id"] for shown in await catalog.price_list()]


async def test_deleting_twice_is_published_once(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon(is_active=True)
    await catalog.withdraw(addon)

    answer = await catalog.withdraw(addon | {"sequence": 2})

    assert answer.status_code == 204
    assert len(await catalog.outbox()) == 2


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_without_if_match_it_is_428(catalog: Catalog, method: str) -> None:
    addon = await catalog.given_an_addon()
    body = {"name": "Other"} if method == "PATCH" else None

    async with catalog.staff() as staff:
        answer = await staff.request(method, f"{ADDONS}/{addon['id']}", json=body)

    assert (answer.status_code, answer.json()["type"]) == (428, "https://quittance.dev/problems/precondition-required")
    assert addon == await catalog.shown(addon)


@pytest.mark.parametrize("if_match", ['"2"', "1", 'W/"1"', "", '"abc"', '"2", "3"', "\xff"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_with_another_states_etag_it_is_412_with_the_present_etag(
    catalog: Catalog, method: str, if_match: str
) -> None:
    addon = await catalog.given_an_addon(is_active=True)
    body = {"name": "Other"} if method == "PATCH" else None

    async with catalog.staff() as staff:
        headers = {b"If-Match": if_match.encode("latin-1")}
        answer = await staff.request(method, f"{ADDONS}/{addon['id']}", headers=headers, json=body)

    assert (answer.status_code, answer.json()["type"]) == (412, "https://quittance.dev/problems/precondition-failed")
    assert answer.headers["etag"] == '"1"'
    assert addon == await catalog.shown(addon)


@pytest.mark.parametrize("if_match", ['"1"', "*", '"7", "1"'])
async def test_an_etag_that_fits_is_accepted_also_among_others(catalog: Catalog, if_match: str) -> None:
    addon = await catalog.given_an_addon()

    async with catalog.staff() as staff:
        answer = await staff.patch(f"{ADDONS}/{addon['id']}", json={"name": "Other"}, headers={"If-Match": if_match})

    assert answer.status_code == 200


async def test_of_ten_admins_who_edit_the_same_state_one_wins(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon()

    answers = await asyncio.gather(*(catalog.edit(addon, {"name": f"Edit {number}"}) for number in range(10)))

    assert sorted([200] + [412] * 9) == sorted(answer.status_code for answer in answers)
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    assert winner == await catalog.shown(addon)
    assert len(await catalog.outbox()) == 2
