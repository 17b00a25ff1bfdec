"""However many people press «Buy now» however often: one purchase, one charge."""

import asyncio
import uuid
from collections import Counter

import pytest

from sandbox.driver import Driver
from tests.reconciliation_check import purchases_of
from tests.seen import captured, problem_of


@pytest.mark.unrecorded("how many of nineteen come before the first one is paid")
async def test_twenty_presses_by_two_admins_buy_once(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    admins = [
        await driver.token(sub=f"admin-{number}", email="a@acme.test", workspaces={shop.workspace_id: "admin"})
        for number in range(2)
    ]

    answers = await asyncio.gather(*(driver.buy(shop, addon, token=admins[press % 2]) for press in range(20)))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    assert {problem_of(answer) for answer in answers if answer.is_error} == {"already-purchased"}
    assert len(await purchases_of(driver, shop)) == 1
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_repeated_key_answers_with_the_same_purchase_however_many_at_once(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    key = uuid.uuid4().hex

    answers = await asyncio.gather(*(driver.buy(shop, addon, key=key) for _ in range(20)))
    later = await driver.buy(shop, addon, key=key)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
    assert len({answer.json()["id"] for answer in [*answers, later]}) == 1
    assert (later.status_code, later.json()["status"]) == (200, "paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_repeated_key_with_another_body_is_refused(driver: Driver) -> None:
    shop, addon, other = await driver.given_a_workspace(), await driver.given_an_addon(), await driver.given_an_addon()
    key = uuid.uuid4().hex
    await driver.buy(shop, addon, key=key)

    refused = await driver.buy(shop, other, key=key)

    assert (refused.status_code, problem_of(refused)) == (422, "idempotency-key-reused")
    assert len(await purchases_of(driver, shop)) == 1


async def test_the_same_key_of_another_workspace_is_another_purchase(driver: Driver) -> None:
    one, two = await driver.given_a_workspace(), await driver.given_a_workspace()
    addon, key = await driver.given_an_addon(), uuid.uuid4().hex

    answers = [await driver.buy(shop, addon, key=key) for shop in (one, two)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]


async def test_two_addons_of_one_workspace_are_bought_side_by_side(driver: Driver) -> None:
    shop = await driver.given_a_workspace()
    addons = await asyncio.gather(*(driver.given_an_addon(price="10.00") for _ in range(3)))

    answers = await asyncio.gather(*(driver.buy(shop, addon) for addon in addons))

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert await captured(driver, shop) == (3_000, 3)


async def test_a_repeated_key_of_a_declined_purchase_answers_with_it_and_charges_nothing(driver: Driver) -> None:
    shop = await driver.given_a_workspace(card="pm_card_chargeCustomerFail")
    addon, key = await driver.given_an_addon(), uuid.uuid4().hex
    declined = await driver.buy(shop, addon, key=key)
    await driver.save_card(shop.customer_id, "pm_card_visa")

    repeated = await driver.buy(shop, addon, key=key)

    assert (declined.status_code, repeated.status_code) == (402, 200)
    assert repeated.json()["id"] == declined.json()["purchase"]["id"]
    assert repeated.json()["status"] == "failed"
    assert await captured(driver, shop) == (0, 0)
