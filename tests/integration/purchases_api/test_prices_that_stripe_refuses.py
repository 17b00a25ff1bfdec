"""A price that Stripe does not charge is off sale; one that was archived costs a Checkout nothing."""

import json
from typing import Any, Final

import httpx
import pytest

from tests.integration.purchases.checkouts import complete, given_builder_and_two_addons, purchases_of
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_api.conftest import Api
from tests.seen import problem_of

Json = dict[str, Any]
BACK: Final = "https://app.example/back"
SMALL: Final[Json] = {"code": "amount_too_small", "param": "amount", "message": "It must convert to at least 50 cents."}
TOO_MUCH: Final = 100_000_000
CHECKOUT: Final = {"plan": "builder", "interval": "month", "currency": "EUR", "success_url": BACK, "cancel_url": BACK}


async def buy(api: Api, workspace: str, key: str, *, price_cents: int = PRICE) -> httpx.Response:
    body = {"addon": "setup", "expected_price_cents": price_cents, "expected_currency": "EUR"}
    async with api.owner(workspace) as owner:
        return await owner.post(f"/v1/workspaces/{workspace}/purchases", json=body, headers={"Idempotency-Key": key})


async def open_checkout(api: Api, workspace: str, *addons: str, key: str = "k") -> httpx.Response:
    async with api.owner(workspace) as owner:
        return await owner.post(
            f"/v1/workspaces/{workspace}/checkout-sessions",
            json=CHECKOUT | {"addons": addons},
            headers={"Idempotency-Key": key},
        )


async def on_sale(api: Api, workspace: str) -> list[str]:
    async with api.owner(workspace) as owner:
        answer = await owner.get(f"/v1/workspaces/{workspace}/addons")
    return [one["slug"] for one in answer.json()["addons"]]


async def refused_prices(harness: Harness) -> list[tuple[int, str]]:
    """What the catalog is to take off sale: the price and Stripe's code."""
    rows = await harness.rows("select headers, payload from outbox where topic = 'billing.addon.price.v1' order by id")
    refused = [json.loads(row["payload"]) for row in rows if "price_refused" in row["headers"]["ce_type"]]
    return [(one["price_cents"], one["stripe_code"]) for one in refused]


async def traces(staff: httpx.AsyncClient) -> set[str]:
    return {one["code"] for one in (await staff.get("/v1/admin/stripe-refusals")).json()["items"]}


@pytest.mark.parametrize("operation", ["invoices.pay", "invoices.finalize", "invoiceitems.create"])
async def test_one_that_stripe_finds_too_small_is_off_sale_and_staff_see_why(
    harness: Harness, api: Api, staff: httpx.AsyncClient, operation: str
) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    await harness.control.fault("refused", operation=operation, times=2, **SMALL)

    answer = await buy(api, workspace, "first")

    assert (answer.status_code, problem_of(answer), answer.json()["stripe_code"]) == (
        502,
        "stripe-refused",
        "amount_too_small",
    )
    assert await on_sale(api, workspace) == []
    again = await buy(api, await harness.given_a_workspace(), "second")
    assert (again.status_code, problem_of(again)) == (409, "addon-inactive")
    assert await refused_prices(harness) == [(PRICE, "amount_too_small")]
    assert await traces(staff) == {"amount_too_small"}


async def test_one_above_what_stripe_charges_is_off_sale(harness: Harness, api: Api) -> None:
    """The catalog's own table would not have let it pass: Stripe's has changed since."""
    await harness.given_an_addon(price_cents=TOO_MUCH)
    workspace = await harness.given_a_workspace()

    answer = await buy(api, workspace, "first", price_cents=TOO_MUCH)

    assert (answer.status_code, answer.json()["stripe_code"]) == (502, "amount_too_large")
    assert await on_sale(api, workspace) == []
    assert await refused_prices(harness) == [(TOO_MUCH, "amount_too_large")]


async def test_an_amount_that_a_customers_own_credit_made_too_small_says_nothing_of_the_price(
    harness: Harness, api: Api
) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    (row,) = await harness.rows("select stripe_customer_id from workspaces")
    await harness.client.v1.customers.update_async(row["stripe_customer_id"], {"balance": 100 - PRICE})
    await harness.control.fault("refused", operation="invoices.pay", **SMALL)

    answer = await buy(api, workspace, "first")

    assert answer.status_code == 502
    assert await on_sale(api, workspace) == ["setup"]
    assert await refused_prices(harness) == []


async def test_one_that_is_sold_anew_at_another_price_stays_on_sale(harness: Harness, api: Api) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    await harness.control.fault("refused", operation="invoices.pay", **SMALL)
    await buy(api, workspace, "first")

    await harness.given_an_addon(price_cents=PRICE + 1, sequence=2)

    assert await on_sale(api, workspace) == ["setup"]
    again = await buy(api, await harness.given_a_workspace(), "second", price_cents=PRICE + 1)
    assert again.status_code == 201


async def test_in_a_checkout_too_what_stripe_does_not_charge_is_off_sale(harness: Harness, api: Api) -> None:
    await given_builder_and_two_addons(harness)
    await harness.given_an_addon("setup", price_cents=TOO_MUCH, sequence=2)
    workspace = await harness.given_a_workspace(None)

    answer = await open_checkout(api, workspace, "setup", "training")

    assert (answer.status_code, answer.json()["stripe_code"]) == (502, "amount_too_large")
    assert await on_sale(api, workspace) == ["training"]
    assert await refused_prices(harness) == [(TOO_MUCH, "amount_too_large")]
    assert (await open_checkout(api, workspace, "training", key="again")).status_code == 201


@pytest.mark.parametrize("gone", ["archived", "of another account", "both, and the plan's"])
async def test_an_add_ons_price_that_stripe_sells_no_more_is_made_again_in_the_same_request(
    harness: Harness, api: Api, gone: str
) -> None:
    await given_builder_and_two_addons(harness)
    first = await harness.given_a_workspace(None)
    assert (await open_checkout(api, first, "setup", "training")).status_code == 201
    dead = {str(row["stripe_price_id"]) for row in await harness.rows("select stripe_price_id from addons")}
    if gone == "of another account":
        dead = {"price_of_another_account"}
        await harness.execute(
            "update addons set stripe_price_id = 'price_of_another_account', sequence = 2 where slug = 'setup'"
        )
    else:
        for price in dead:
            await harness.client.v1.prices.update_async(price, {"active": False})
    if gone.endswith("plan's"):
        (plan,) = await harness.rows("select prices from plans")
        dead.add(plan["prices"][0]["stripe_price_id"])
        await harness.client.v1.prices.update_async(plan["prices"][0]["stripe_price_id"], {"active": False})
    workspace = await harness.given_a_workspace(None)

    answer = await open_checkout(api, workspace, "setup", "training")

    assert answer.status_code == 201, answer.text
    rows = [row for row in await purchases_of(harness) if row.workspace_id == workspace]
    assert dead.isdisjoint({str(row.stripe_price_id) for row in rows})
    await complete(harness, answer.json()["id"])
    assert {(await harness.purchase(row.id)).status for row in rows} == {"paid"}
    (row,) = await harness.rows("select plan from workspaces where id = :id", id=workspace)
    assert row["plan"] == "builder"
    known = await harness.rows("select stripe_price_id from addons order by slug")
    assert [one["stripe_price_id"] for one in known] == [str(row.stripe_price_id) for row in rows]
