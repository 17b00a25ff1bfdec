"""The buyer's request dies after each of its calls to Stripe: it settles by itself, with at most one charge."""

import uuid
from typing import Any

import httpx
import pytest

from sandbox.driver import Driver
from sandbox.shop import Shop
from tests.faults.conftest import KilledAt, becomes
from tests.givens import NEEDS_THE_BANK
from tests.reconciliation_check import purchases_of
from tests.seen import captured, invoice_status

Json = dict[str, Any]


async def dies_while_buying(
    driver: Driver, killed_at: KilledAt, point: str, *, card: str = "pm_card_visa"
) -> tuple[Shop, Json, str]:
    """The workspace, the add-on and the request's key; the request got no answer."""
    shop, addon, key = await driver.given_a_workspace(card=card), await driver.given_an_addon(), uuid.uuid4().hex
    async with killed_at("purchases-api", point):
        with pytest.raises(httpx.TransportError):
            await driver.buy(shop, addon, key=key)
    return shop, addon, key


async def test_died_after_reading_the_card_nothing_has_happened(
    driver: Driver, killed_at: KilledAt, agreed: None
) -> None:
    shop, addon, key = await dies_while_buying(driver, killed_at, "stripe.read_customer")
    assert await purchases_of(driver, shop) == []

    again = await driver.buy(shop, addon, key=key)

    assert (again.status_code, again.json()["status"]) == (201, "paid")
    assert await captured(driver, shop) == (49_900, 1)


@pytest.mark.parametrize(("phase", "left"), [("draft", None), ("item", None), ("finalize", "void")])
async def test_died_before_paying_it_fails_and_leaves_nothing_payable(
    driver: Driver, killed_at: KilledAt, phase: str, left: str | None, agreed: None
) -> None:
    shop, addon, key = await dies_while_buying(driver, killed_at, f"stripe.{phase}")
    (row,) = await purchases_of(driver, shop)

    await becomes(driver, str(row["id"]), "failed")
    await driver.settle()

    record = await driver.record(str(row["id"]))
    assert [line["to_status"] for line in record["history"]] == ["pending", "failed"]
    assert (record["payable"], await invoice_status(driver, record)) == (False, left)
    repeated = await driver.buy(shop, addon, key=key)
    assert (repeated.status_code, repeated.json()["status"]) == (200, "failed")
    assert await captured(driver, shop) == (0, 0)
    assert (await driver.buy(shop, addon)).status_code == 201


@pytest.mark.parametrize("webhooks", ["arrive", "are all lost"])
@pytest.mark.parametrize("phase", ["pay", "look_at_invoice"])
async def test_died_after_paying_it_becomes_paid(
    driver: Driver, killed_at: KilledAt, phase: str, webhooks: str, agreed: None
) -> None:
    if webhooks == "are all lost":
        await driver.stripe.drop_webhooks()

    shop, addon, key = await dies_while_buying(driver, killed_at, f"stripe.{phase}")

    (row,) = await purchases_of(driver, shop)
    await becomes(driver, str(row["id"]), "paid")
    await driver.settle()
    repeated = await driver.buy(shop, addon, key=key)
    assert (repeated.status_code, repeated.json()["status"]) == (200, "paid")
    assert (await driver.buy(shop, addon)).status_code == 409
    assert await captured(driver, shop) == (49_900, 1)
    assert len(await driver.mails_naming(str(row["id"]))) == 1


@pytest.mark.parametrize("phase", ["pay", "look_at_invoice", "confirm"])
async def test_died_on_the_way_to_the_bank_it_still_waits_for_the_buyer(
    driver: Driver, killed_at: KilledAt, phase: str, agreed: None
) -> None:
    shop, addon, key = await dies_while_buying(driver, killed_at, f"stripe.{phase}", card=NEEDS_THE_BANK)

    repeated = await driver.until(lambda: asks_for_the_buyer(driver, shop, addon, key), "it has a URL for the buyer")
    await driver.settle()
    assert (await driver.record(repeated["id"]))["status"] == "pending"

    intent = (await driver.record(repeated["id"]))["stripe_payment_intent_id"]
    if phase == "confirm":
        await driver.stripe.authenticate(intent)
    else:
        page = await driver.http.post(f"{repeated['action_url']}/pay")
        await driver.answer_bank(page.headers["location"])
    await becomes(driver, repeated["id"], "paid")
    assert await captured(driver, shop) == (49_900, 1)


async def asks_for_the_buyer(driver: Driver, shop: Shop, addon: Json, key: str) -> Json | None:
    """What a repeated request gets, once it says where the buyer has to go."""
    answer = await driver.buy(shop, addon, key=key)
    assert answer.status_code == 200
    body: Json = answer.json()
    return body if body["action_url"] else None


@pytest.mark.parametrize("phase", ["customer", "describe_customer"])
async def test_a_registration_that_died_after_making_the_customer_makes_no_second_one(
    driver: Driver, killed_at: KilledAt, phase: str
) -> None:
    before = len((await driver.stripe.objects(kind="customer")).get("customer", []))
    async with killed_at("purchases-api", f"stripe.{phase}"):
        with pytest.raises(httpx.TransportError):
            await driver.given_a_workspace()
    (workspace,) = await driver.inspector.rows(
        "purchases", "select id, owner_user_id, owner_email from workspaces where stripe_customer_id is null"
    )

    host = await driver.token(sub="host-product", scope="workspaces:write")
    again = await driver.http.put(
        f"{driver.stack.purchases_url}/v1/workspaces/{workspace['id']}",
        json={"name": "Acme", "owner": {"user_id": workspace["owner_user_id"], "email": workspace["owner_email"]}},
        headers={"Authorization": f"Bearer {host}"},
    )

    assert again.json()["stripe_customer_id"]
    assert len((await driver.stripe.objects(kind="customer"))["customer"]) == before + 1
