"""The host product registers its workspaces: each has one customer at Stripe and one owner for good."""

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import httpx
import pytest

from sandbox.driver import Driver
from sandbox.shop import Shop, bearer
from tests.seen import captured, problem_of

Json = dict[str, Any]


async def register(driver: Driver, workspace_id: str, *, owner: str = "user-1", **more: Any) -> httpx.Response:
    """As the host product does it; `email` is the owner's."""
    token = await driver.token(sub="host-product", scope="workspaces:write")
    body = {"name": "Acme", "owner": {"user_id": owner, "email": more.pop("email", "owner@acme.test")}} | more
    url = f"{driver.stack.purchases_url}/v1/workspaces/{workspace_id}"
    return await driver.http.put(url, json=body, headers=bearer(token))


async def customers_of(driver: Driver, workspace_id: str) -> list[Json]:
    """The workspace's customers at Stripe; one, one hopes."""
    customers = (await driver.stripe.objects(kind="customer"))["customer"]
    return [one for one in customers if one["metadata"].get("workspace_id") == workspace_id]


def new_id() -> str:
    return f"ws-{uuid.uuid4().hex[:12]}"


async def test_twenty_registrations_at_once_make_one_customer(driver: Driver) -> None:
    workspace_id = new_id()

    answers = await asyncio.gather(*(register(driver, workspace_id) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    (customer,) = await customers_of(driver, workspace_id)
    assert {answer.json()["stripe_customer_id"] for answer in answers} == {customer["id"]}
    assert (customer["name"], customer["email"]) == ("Acme", "owner@acme.test")


@pytest.mark.unrecorded("how many of ten at once find the page open that one of them opened")
async def test_a_customer_that_stripe_could_not_make_is_made_when_it_is_needed_however_many_need_it(
    driver: Driver,
) -> None:
    workspace_id = new_id()
    await driver.stripe.fault("error_before", operation="customers.create", times=None, stored=False, status=503)
    registered = await register(driver, workspace_id)
    assert (registered.status_code, registered.json()["stripe_customer_id"]) == (200, None)
    await driver.end_mishaps()
    token = await driver.token(sub="user-1", email="owner@acme.test", workspaces={workspace_id: "owner"})
    shop = Shop(
        name="Acme",
        workspace_id=workspace_id,
        owner_id="user-1",
        owner_email="owner@acme.test",
        customer_id="",
        token=token,
    )
    addon = await driver.given_an_addon()

    answers = await asyncio.gather(*(driver.buy(shop, addon) for _ in range(10)))

    assert {problem_of(answer) for answer in answers} == {"payment-method-missing"}
    assert len(await customers_of(driver, workspace_id)) == 1


async def test_a_product_that_already_bills_brings_its_customer_along(driver: Driver) -> None:
    workspace_id = new_id()
    customer = await driver.at_stripe("/v1/customers", {"email": "old@acme.test"})
    await driver.save_card(customer["id"], "pm_card_visa")

    registered = await register(driver, workspace_id, stripe_customer_id=customer["id"])

    assert registered.json()["stripe_customer_id"] == customer["id"]
    assert await customers_of(driver, workspace_id) == []
    token = await driver.token(sub="user-1", email="owner@acme.test", workspaces={workspace_id: "owner"})
    shop = Shop(
        name="Acme",
        workspace_id=workspace_id,
        owner_id="user-1",
        owner_email="owner@acme.test",
        customer_id=customer["id"],
        token=token,
    )
    driver.shops.append(shop)
    assert (await driver.buy(shop, await driver.given_an_addon())).status_code == 201
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_customer_belongs_to_one_workspace_and_a_workspace_to_one_customer(driver: Driver) -> None:
    first, second = new_id(), new_id()
    customer = (await register(driver, first)).json()["stripe_customer_id"]
    other = (await driver.at_stripe("/v1/customers", {}))["id"]

    taken = await register(driver, second, stripe_customer_id=customer)
    fixed = await register(driver, first, stripe_customer_id=other)

    assert (taken.status_code, problem_of(taken)) == (409, "customer-taken")
    assert (fixed.status_code, problem_of(fixed)) == (409, "customer-fixed")


async def test_only_the_owners_address_may_change(driver: Driver) -> None:
    workspace_id = new_id()
    await register(driver, workspace_id, owner="user-1", email="before@acme.test")

    refused = await register(driver, workspace_id, owner="user-2", email="thief@acme.test")
    changed = await register(driver, workspace_id, owner="user-1", email="after@acme.test")

    assert (refused.status_code, problem_of(refused)) == (409, "owner-fixed")
    assert changed.json()["owner"] == {"user_id": "user-1", "email": "after@acme.test"}
    (customer,) = await customers_of(driver, workspace_id)
    assert customer["email"] == "after@acme.test"


async def test_a_refund_is_mailed_to_the_owners_address_of_today(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    moved = f"new-{shop.owner_email}"
    await register(driver, shop.workspace_id, owner=shop.owner_id, email=moved)
    driver.shops[:] = [replace(shop, owner_email=moved)]

    await driver.refund(purchase)
    await driver.settle()

    assert await driver.mails_to(shop.owner_email) == []
    assert len(await driver.mails_to(moved)) == 1
