"""Plans are shown to everyone, edited by staff who read them, and published once."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import update

from catalog.tables import Plan, PlanPrice
from contracts import PLAN_STATE, PlanState
from tests.integration.catalog.conftest import Catalog

BUILDER = "/v1/admin/plans/builder"
MONTH = {"interval": "month", "currency": "EUR"}
AS_SEEDED = [
    {"interval": interval, "currency": currency, "price": price}
    for currency in ("EUR", "USD")
    for interval, price in (("month", "9.00"), ("year", "89.00"))
]
BAD_EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "the slug": ({"slug": "pro"}, "invalid-request"),
    "name null": ({"name": None}, "invalid-request"),
    "a name of 121 characters": ({"name": "x" * 121}, "invalid-request"),
    "a line end in the name": ({"name": "Builder\r\nBcc: all@example.com"}, "invalid-request"),
    "caps null": ({"caps": None}, "invalid-request"),
    "caps as a list": ({"caps": ["seats"]}, "invalid-request"),
    "a negative cap": ({"caps": {"seats": -1}}, "invalid-request"),
    "half a seat": ({"caps": {"seats": 1.5}}, "invalid-request"),
    "a cap as text": ({"caps": {"seats": "10"}}, "invalid-request"),
    "a cap as a truth value": ({"caps": {"seats": True}}, "invalid-request"),
    "a cap beyond the column of its count": ({"caps": {"seats": 2**31}}, "invalid-request"),
    "a resource with a blank": ({"caps": {"my seats": 1}}, "invalid-request"),
    "a resource with a line end": ({"caps": {"seats\n": 1}}, "invalid-request"),
    "an empty resource": ({"caps": {"": 1}}, "invalid-request"),
    "51 resources": ({"caps": {f"r{number}": 1 for number in range(51)}}, "invalid-request"),
    "prices null": ({"prices": None}, "invalid-request"),
    "a price without an interval": ({"prices": [{"currency": "EUR", "price": "9"}]}, "invalid-request"),
    "a price per week": ({"prices": [MONTH | {"interval": "week", "price": "9"}]}, "invalid-request"),
    "no amount": ({"prices": [MONTH]}, "price-ambiguous"),
    "two amounts": ({"prices": [MONTH | {"price": "9", "price_cents": 900}]}, "price-ambiguous"),
    "too many decimals": ({"prices": [MONTH | {"price": "9.999"}]}, "too-many-decimals"),
    "below the minimum": ({"prices": [MONTH | {"price": "0.10"}]}, "below-minimum"),
    "an unknown currency": ({"prices": [MONTH | {"currency": "XXX", "price": "9"}]}, "unsupported-currency"),
    "one price twice": ({"prices": [MONTH | {"price": "9"}, MONTH | {"price": "10"}]}, "price-given-twice"),
    "one price twice, spelt otherwise": (
        {"prices": [MONTH | {"price": "9"}, MONTH | {"currency": "eur", "price": "9"}]},
        "price-given-twice",
    ),
    "a Stripe price of one's own": ({"prices": [MONTH | {"price": "9", "stripe_price_id": "p"}]}, "invalid-request"),
}


@pytest.fixture
async def seeded(catalog: Catalog) -> Catalog:
    """Return a catalog that was just set up."""
    await catalog.given_the_seed()
    return catalog


async def given_stripe_ids(catalog: Catalog) -> None:
    async with catalog.database.transaction() as session:
        await session.execute(update(Plan).where(Plan.slug == "builder").values(stripe_product_id="prod_1"))
        await session.execute(update(PlanPrice).values(stripe_price_id=PlanPrice.interval + PlanPrice.currency))


async def facts(catalog: Catalog) -> list[dict[str, Any]]:
    """Return the facts of plans."""
    return [json.loads(row.payload) for row in await catalog.outbox() if row.topic == PLAN_STATE.name]


async def test_the_plans_need_no_token_and_are_304_for_who_has_them(seeded: Catalog) -> None:
    async with seeded.client() as anybody:
        first = await anybody.get("/v1/plans")
        again = await anybody.get("/v1/plans", headers={"If-None-Match": first.headers["etag"]})
        await seeded.edit_plan("builder", {"name": "Maker"})
        changed = await anybody.get("/v1/plans", headers={"If-None-Match": first.headers["etag"]})

    assert [first.status_code, again.status_code, changed.status_code] == [200, 304, 200]
    assert again.content == b""
    assert [plan["name"] for plan in changed.json()["items"]] == ["Free", "Maker"]
    assert "stripe" not in changed.text


async def test_a_plan_is_shown_to_staff_with_its_etag(seeded: Catalog) -> None:
    async with seeded.staff() as staff:
        answer = await staff.get(BUILDER)

    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert answer.json()["prices"][0] == {
        "interval": "month",
        "currency": "EUR",
        "price_cents": 900,
        "price": "9.00",
        "stripe_price_id": None,
        "pending_price_cents": None,
        "pending_price": None,
    }


@pytest.mark.parametrize("slug", ["pro", "Builder", "b%0auilder", "%20", "ü"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_an_unknown_plan_is_404(seeded: Catalog, method: str, slug: str) -> None:
    async with seeded.staff() as staff:
        answer = await staff.request(
            method, f"/v1/admin/plans/{slug}", headers={"If-Match": "*"}, json={} if method == "PATCH" else None
        )

    assert answer.status_code == 404


async def test_an_edit_changes_what_it_names_and_tells_it_once(seeded: Catalog) -> None:
    before = await seeded.plan()

    answer = await seeded.edit_plan("builder", {"name": "Maker", "caps": {"seats": 25, "exports": None}})

    after = before | {"name": "Maker", "caps": {"exports": None, "seats": 25}, "sequence": 2}
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    assert after | {"updated_at": answer.json()["updated_at"]} == answer.json() == await seeded.plan()
    [*_, published] = await facts(seeded)
    assert [(f["plan"], f["sequence"]) for f in await facts(seeded)] == [("free", 1), ("builder", 1), ("builder", 2)]
    assert (published["name"], published["caps"]) == ("Maker", {"exports": None, "seats": 25})
    assert published == PlanState.model_validate(published).model_dump(mode="json")


async def test_prices_that_are_given_are_all_prices(seeded: Catalog) -> None:
    answer = await seeded.edit_plan(
        "builder",
        {"prices": [MONTH | {"price": "12.00"}, {"interval": "year", "currency": "jpy", "price_cents": 15000}]},
    )

    shown = [(p["interval"], p["currency"], p["price_cents"], p["price"]) for p in answer.json()["prices"]]
    assert shown == [("month", "EUR", 1200, "12.00"), ("year", "JPY", 15000, "15000")]
    assert answer.json() == await seeded.plan()


async def test_an_edited_price_is_pending_and_the_old_one_sells_until_it_has_its_stripe_price(seeded: Catalog) -> None:
    await given_stripe_ids(seeded)
    prices = [*AS_SEEDED[1:], MONTH | {"price": "12.00"}, {"interval": "month", "currency": "GBP", "price": "8.00"}]

    answer = await seeded.edit_plan("builder", {"prices": prices})

    by_slot = {(one["interval"], one["currency"]): one for one in answer.json()["prices"]}
    edited, new = by_slot["month", "EUR"], by_slot["month", "GBP"]
    assert (edited["price_cents"], edited["stripe_price_id"]) == (900, "monthEUR")
    assert (edited["pending_price_cents"], edited["pending_price"]) == (1200, "12.00")
    assert (new["stripe_price_id"], new["pending_price_cents"]) == (None, None)
    assert by_slot["year", "EUR"]["stripe_price_id"] == "yearEUR"
    async with seeded.client() as anybody:
        listed = (await anybody.get("/v1/plans")).json()["items"][1]["prices"]
    assert [one["price_cents"] for one in listed if one["interval"] == "month"] == [900, 800, 900]
    [*_, published] = await facts(seeded)
    assert [one["pending_price_cents"] for one in published["prices"]] == [1200, None, None, None, None]


async def test_an_edit_back_to_what_sells_leaves_nothing_pending(seeded: Catalog) -> None:
    await given_stripe_ids(seeded)
    before = (await seeded.plan())["prices"]
    await seeded.edit_plan("builder", {"prices": [*AS_SEEDED[1:], MONTH | {"price": "12.00"}]})

    answer = await seeded.edit_plan("builder", {"prices": AS_SEEDED})

    assert answer.json()["prices"] == before


async def test_a_price_that_comes_back_is_no_old_stripe_price(seeded: Catalog) -> None:
    await given_stripe_ids(seeded)

    await seeded.edit_plan("builder", {"prices": AS_SEEDED[1:]})
    answer = await seeded.edit_plan("builder", {"prices": AS_SEEDED})

    assert answer.json()["prices"][0] | {"stripe_price_id": None} == answer.json()["prices"][0]


@pytest.mark.parametrize(
    "changes",
    [{}, {"name": "Builder"}, {"caps": {"seats": 10, "projects": None, "byok_keys": None}}, {"prices": AS_SEEDED}],
    ids=["nothing", "name", "caps", "prices"],
)
async def test_an_edit_that_changes_nothing_is_not_published(seeded: Catalog, changes: dict[str, Any]) -> None:
    await given_stripe_ids(seeded)
    before = await seeded.plan()

    answer = await seeded.edit_plan("builder", changes)

    assert (200, before) == (answer.status_code, answer.json())
    assert len(await facts(seeded)) == 2
    assert len(await seeded.changes()) == 3


@pytest.mark.parametrize("case", BAD_EDITS)
async def test_a_bad_edit_is_refused_and_changes_nothing(seeded: Catalog, case: str) -> None:
    changes, problem = BAD_EDITS[case]
    before = await seeded.plan()

    answer = await seeded.edit_plan("builder", changes)

    assert (422, f"https://quittance.dev/problems/{problem}") == (answer.status_code, answer.json()["type"])
    assert before == await seeded.plan()
    assert len(await facts(seeded)) == 2


async def test_the_free_plan_cannot_be_given_a_price(seeded: Catalog) -> None:
    answer = await seeded.edit_plan("free", {"prices": [MONTH | {"price": "1.00"}]})

    assert (answer.status_code, answer.json()["type"]) == (422, "https://quittance.dev/problems/free-plan-priced")


async def test_without_if_match_it_is_428_and_with_an_older_one_412(seeded: Catalog) -> None:
    async with seeded.staff() as staff:
        blind = await staff.patch(BUILDER, json={"name": "Maker"})
        late = await staff.patch(BUILDER, json={"name": "Maker"}, headers={"If-Match": '"7"'})

    assert [(a.status_code, a.headers.get("etag")) for a in (blind, late)] == [(428, None), (412, '"1"')]
    assert (await seeded.plan())["name"] == "Builder"


async def test_of_ten_admins_who_edit_the_same_state_one_wins(seeded: Catalog) -> None:
    async with seeded.staff() as staff:
        edits = [
            staff.patch(BUILDER, json={"prices": [MONTH | {"price": f"{10 + n}"}]}, headers={"If-Match": '"1"'})
            for n in range(10)
        ]
        answers = await asyncio.gather(*edits)

    assert sorted([200] + [412] * 9) == sorted(answer.status_code for answer in answers)
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    assert winner == await seeded.plan()
    assert len(await facts(seeded)) == 3
