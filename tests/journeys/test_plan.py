"""A workspace's plan through Stripe's webhooks: subscribed, a renewal that fails and is healed, given up, cancelled."""

from typing import Any, Final

import pytest

from sandbox.driver import TEAM, Driver
from sandbox.shop import Shop
from tests.seen import captured

Json = dict[str, Any]
INSTANCE: Final = "local"
BUILDER: Final = "/v1/admin/plans/builder"


async def given_a_subscriber(driver: Driver) -> tuple[Shop, str, str]:
    """On Builder, monthly: the workspace, its card and its subscription."""
    shop = await driver.given_a_workspace(card=None)
    card = await driver.save_card(shop.customer_id, "pm_card_visa")
    price = {"currency": "eur", "unit_amount": "900", "recurring[interval]": "month", "product_data[name]": "Builder"}
    made = await driver.at_stripe("/v1/prices", price)
    wanted = {"customer": shop.customer_id, "items[0][price]": str(made["id"])}
    metadata = {"metadata[quittance_instance]": INSTANCE, "metadata[workspace_id]": shop.workspace_id}
    subscription = await driver.at_stripe("/v1/subscriptions", wanted | metadata)
    await driver.settle()
    return shop, card, str(subscription["id"])


async def billing(driver: Driver, shop: Shop) -> Json:
    return await driver.get(f"/v1/workspaces/{shop.workspace_id}/billing", token=shop.token)


async def stands(driver: Driver, shop: Shop) -> tuple[str, str, bool]:
    """Plan, subscription's status, and whether a payment is due."""
    shown = await billing(driver, shop)
    return shown["plan"]["slug"], shown["subscription"]["status"], shown["past_due"]


async def test_a_failed_renewal_keeps_the_plan_mails_the_owner_once_and_is_healed_by_a_new_card(driver: Driver) -> None:
    shop, card, subscription = await given_a_subscriber(driver)
    assert await stands(driver, shop) == ("builder", "active", False)

    await driver.stripe.change_card(card, "chargeCustomerFail")
    await driver.stripe.renew(subscription)
    await driver.settle()
    await driver.stripe.retry(subscription)
    await driver.settle()
    assert await stands(driver, shop) == ("builder", "past_due", True)
    (mail,) = await driver.mails_to(shop.owner_email)
    assert mail["Subject"] == "Payment failed: €9.00 for the Builder plan of Acme"

    await driver.stripe.change_card(card, "visa")
    await driver.stripe.retry(subscription)
    await driver.settle()
    assert await stands(driver, shop) == ("builder", "active", False)
    await driver.replay(shop)
    assert len(await driver.mails_to(shop.owner_email)) == 1


@pytest.mark.unrecorded("whether it is heard of as past due before it has ended")
async def test_when_stripe_gives_up_the_workspace_is_on_the_free_plan(driver: Driver) -> None:
    shop, card, subscription = await given_a_subscriber(driver)
    await driver.stripe.change_card(card, "chargeCustomerFail")
    await driver.stripe.renew(subscription)
    await driver.stripe.exhaust_retries(subscription)
    await driver.settle()

    assert await stands(driver, shop) == ("free", "canceled", False)


async def test_cancelled_at_the_periods_end_the_plan_stays_and_can_be_resumed(driver: Driver) -> None:
    shop, _, subscription = await given_a_subscriber(driver)
    await driver.at_stripe(f"/v1/subscriptions/{subscription}", {"cancel_at_period_end": "true"})
    await driver.settle()
    published = (await billing(driver, shop))["subscription"]
    assert (published["cancel_at_period_end"], published["ends_at"]) == (True, published["current_period_end"])

    await driver.at_stripe(f"/v1/subscriptions/{subscription}", {"cancel_at_period_end": "false"})
    await driver.settle()
    published = (await billing(driver, shop))["subscription"]
    assert (published["status"], published["cancel_at_period_end"], published["ends_at"]) == ("active", False, None)


async def test_a_second_subscription_is_ended_and_paid_back_and_the_team_is_mailed(driver: Driver) -> None:
    shop, _, kept = await given_a_subscriber(driver)
    (first,) = [one for one in (await driver.stripe.objects(kind="subscription"))["subscription"] if one["id"] == kept]
    again = {"customer": shop.customer_id, "items[0][price]": first["items"]["data"][0]["price"]["id"]}
    extra = await driver.at_stripe(
        "/v1/subscriptions", again | {f"metadata[{k}]": v for k, v in first["metadata"].items()}
    )
    await driver.settle()

    ended = {one["id"]: one["status"] for one in (await driver.stripe.objects(kind="subscription"))["subscription"]}
    assert sorted([ended[kept], ended[str(extra["id"])]]) == ["active", "canceled"]
    assert await stands(driver, shop) == ("builder", "active", False)
    assert await captured(driver, shop) == (1_800, 2)
    sums = (await driver.stripe.sums())["customers"][shop.customer_id]["eur"]
    assert (sums["refunded"], sums["refunds"]) == (900, 1)
    (mail,) = await driver.mails_about(shop, to=TEAM)
    assert "€9.00" in mail["Text"]


POUNDS: Final = {"interval": "month", "currency": "GBP"}


async def test_a_plans_price_is_sold_and_edited_without_anybody_running_a_command(driver: Driver) -> None:
    """The worker makes it at Stripe and tells the catalog; until then the old one sells."""
    before = [_given(one) for one in (await driver.staff("GET", BUILDER))["prices"] if one["currency"] != "GBP"]
    await driver.change_plan("builder", prices=[*before, POUNDS | {"price": "8.00"}])
    first = await _sold_at(driver, "8.00")

    answer = await driver.change_plan("builder", prices=[*before, POUNDS | {"price": "9.00"}])
    second = await _sold_at(driver, "9.00")
    await driver.change_plan("builder", prices=before)

    (published,) = [one for one in answer["prices"] if one["currency"] == "GBP"]
    assert (published["price"], published["pending_price"], published["stripe_price_id"]) == ("8.00", "9.00", first)
    made = (await driver.stripe.objects(kind="price"))["price"]
    shown = {one["id"]: (one["active"], one["unit_amount"]) for one in made if one["id"] in (first, second)}
    assert shown == {first: (True, 800), second: (True, 900)}


def _given(price: Json) -> Json:
    return {name: price[name] for name in ("interval", "currency", "price")}


async def _sold_at(driver: Driver, amount: str) -> str:
    """The Stripe price in pounds, once it sells at this amount."""

    async def sold() -> str | None:
        prices = (await driver.staff("GET", BUILDER))["prices"]
        pounds = next(one for one in prices if one["currency"] == "GBP")
        found: str | None = pounds["stripe_price_id"] if pounds["price"] == amount else None
        return found

    return str(await driver.until(sold, f"it is sold at {amount}"))
