"""Saving a card on Stripe's page: where a buyer without one is sent, and what it is good for afterwards."""

import httpx
import pytest

from sandbox.driver import Driver
from sandbox.shop import Shop, bearer
from tests.reconciliation_check import purchases_of
from tests.seen import problem_of


async def open_page(driver: Driver, shop: Shop, return_url: str, *, token: str | None = None) -> httpx.Response:
    url = f"{driver.stack.purchases_url}/v1/workspaces/{shop.workspace_id}/setup-sessions"
    return await driver.http.post(url, json={"return_url": return_url}, headers=bearer(token or shop.token))


async def save(driver: Driver, url: str, card: str = "visa") -> str:
    """Choose a card on the page and press *Save*; where the browser comes back to."""
    answer = await driver.http.post(f"{url}/save", data={"card": card})
    return str(answer.headers["location"])


async def test_without_a_card_the_buyer_is_sent_to_save_one_and_then_buys(driver: Driver) -> None:
    home = "http://localhost:3000/services"
    shop, addon = await driver.given_a_workspace(card=None), await driver.given_an_addon()

    refused = await driver.buy(shop, addon, return_url=home)

    assert (refused.status_code, problem_of(refused)) == (409, "payment-method-missing")
    assert await purchases_of(driver, shop) == []
    assert await save(driver, refused.json()["setup_url"]) == home
    await driver.settle()
    bought = await driver.buy(shop, addon, return_url=home)
    assert (bought.status_code, bought.json()["status"]) == (201, "paid")


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_owner_and_admins_may_save_a_card_before_they_buy(driver: Driver, role: str) -> None:
    shop, addon = await driver.given_a_workspace(card=None), await driver.given_an_addon()
    token = await driver.token(sub="user-x", email="x@acme.test", workspaces={shop.workspace_id: role})

    page = await open_page(driver, shop, "http://localhost:3000/", token=token)

    assert page.status_code == 201
    await save(driver, page.json()["url"])
    await driver.settle()
    assert (await driver.buy(shop, addon)).json()["status"] == "paid"


async def test_a_page_that_leads_to_a_foreign_site_is_not_opened(driver: Driver) -> None:
    shop = await driver.given_a_workspace(card=None)

    refused = await open_page(driver, shop, "https://evil.example/")

    assert (refused.status_code, problem_of(refused)) == (422, "return-url-not-allowed")
    sessions = (await driver.stripe.objects(kind="checkout.session")).get("checkout.session", [])
    assert all(one["customer"] != shop.customer_id for one in sessions)
