"""Buy now: what the buyer sees, and what is in the ledger, at Stripe and in the team's mail box afterwards."""

import httpx
import pytest

from sandbox.driver import TEAM, Driver
from sandbox.shop import Shop
from tests.reconciliation_check import purchases_of
from tests.seen import invoice_status, problem_of


async def nothing_was_written(driver: Driver, shop: Shop) -> bool:
    """No row, no invoice."""
    invoices = (await driver.stripe.objects(kind="invoice")).get("invoice", [])
    return not await purchases_of(driver, shop) and all(one["customer"] != shop.customer_id for one in invoices)


async def test_the_saved_card_pays_and_the_team_is_mailed(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")

    answer = await driver.buy(shop, addon)
    await driver.settle()

    assert (answer.status_code, answer.json()["status"], answer.json()["paid_cents"]) == (201, "paid", 49_900)
    (mail,) = await driver.mails_about(shop, to=TEAM)
    assert mail["Subject"] == f"New purchase: {addon['name']} for Acme, €499.00"
    assert (await driver.stripe.sums())["customers"][shop.customer_id]["eur"]["captured"] == 49_900


async def test_a_paid_purchase_is_delivered_once(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()

    delivered = await driver.deliver(purchase["id"])

    assert delivered["status"] == "delivered"
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        await driver.deliver(purchase["id"])
    assert (await driver.record(purchase["id"]))["history"][-1]["actor"] == "staff:staff-1"


@pytest.mark.parametrize(("price", "currency", "cents"), [("500", "JPY", 500), ("4.990", "KWD", 4990)])
async def test_currencies_without_cents_and_with_thousandths_are_charged_right(
    driver: Driver, price: str, currency: str, cents: int
) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price=price, currency=currency)

    answer = await driver.buy(shop, addon)

    assert (answer.status_code, answer.json()["paid_cents"]) == (201, cents)
    assert (await driver.stripe.sums())["customers"][shop.customer_id][currency.lower()]["captured"] == cents


async def test_a_declined_card_fails_voids_the_invoice_and_frees_the_slot(driver: Driver) -> None:
    shop = await driver.given_a_workspace(card="pm_card_chargeCustomerFail")
    addon = await driver.given_an_addon()

    declined = await driver.buy(shop, addon)
    await driver.settle()

    assert (declined.status_code, problem_of(declined)) == (402, "payment-declined")
    assert declined.json()["decline_code"] == "generic_decline"
    record = await driver.record(declined.json()["purchase"]["id"])
    assert (record["status"], record["payable"]) == ("failed", False)
    assert await invoice_status(driver, record) == "void"
    assert await driver.mails_about(shop, to=TEAM) == []

    await driver.save_card(shop.customer_id, "pm_card_visa")
    bought = await driver.buy(shop, addon)

    assert (bought.status_code, bought.json()["status"]) == (201, "paid")


async def test_a_sixth_decline_in_ten_minutes_closes_the_shop_for_a_while(driver: Driver) -> None:
    shop = await driver.given_a_workspace(card="pm_card_chargeCustomerFail")
    addon = await driver.given_an_addon()
    for _ in range(6):
        assert (await driver.buy(shop, addon)).status_code == 402
        await driver.settle()
    await driver.save_card(shop.customer_id, "pm_card_visa")

    refused = await driver.buy(shop, addon)

    assert (refused.status_code, problem_of(refused)) == (429, "too-many-declines")
    assert 500 < int(refused.headers["retry-after"]) <= 601
    assert len(await purchases_of(driver, shop)) == 6


async def test_without_a_saved_card_nothing_is_written(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(card=None), await driver.given_an_addon()

    refused = await driver.buy(shop, addon)

    assert (refused.status_code, problem_of(refused)) == (409, "payment-method-missing")
    assert await nothing_was_written(driver, shop)


async def test_a_price_that_the_buyer_did_not_see_is_never_charged(driver: Driver) -> None:
    shop, seen = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    changed = await driver.change_addon(seen, price="599.00")
    await driver.settle()

    refused = await driver.buy(shop, seen)

    assert (refused.status_code, problem_of(refused)) == (409, "price-changed")
    assert (refused.json()["price_cents"], refused.json()["currency"]) == (59_900, "EUR")
    assert await nothing_was_written(driver, shop)
    assert (await driver.buy(shop, changed)).json()["paid_cents"] == 59_900


async def test_an_edit_never_touches_what_was_sold(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    purchase = (await driver.buy(shop, addon)).json()

    await driver.change_addon(addon, price="1.00", name="Something else")
    await driver.settle()

    sold = await driver.purchase(shop, purchase["id"])
    assert (sold["price_cents"], sold["addon"]["name"]) == (49_900, addon["name"])


async def test_an_addon_that_is_not_active_is_not_sold(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.change_addon(addon, is_active=False)
    await driver.settle()

    refused = await driver.buy(shop, addon)

    assert (refused.status_code, problem_of(refused)) == (409, "addon-inactive")
    assert await nothing_was_written(driver, shop)


async def test_an_addon_that_does_not_exist_is_not_found(driver: Driver) -> None:
    shop = await driver.given_a_workspace()

    refused = await driver.buy(shop, {"slug": "no-such-addon", "price_cents": 100, "currency": "EUR"})

    assert (refused.status_code, problem_of(refused)) == (404, "addon-not-found")
    assert await nothing_was_written(driver, shop)


async def test_a_return_url_on_a_foreign_site_is_refused(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()

    refused = await driver.buy(shop, addon, return_url="https://evil.example/after")

    assert (refused.status_code, problem_of(refused)) == (422, "return-url-not-allowed")
    assert await nothing_was_written(driver, shop)
