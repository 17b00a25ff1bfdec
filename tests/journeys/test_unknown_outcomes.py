"""Stripe's answer is lost, late or a 500: never failed, never charged twice, and settled by what Stripe says."""

from typing import Any

import pytest

from sandbox.driver import Driver
from tests.seen import captured, problem_of

Json = dict[str, Any]


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([{"fault": "close_after"}, {"fault": "close_before", "times": 2}], id="the connection breaks"),
        pytest.param([{"fault": "error_after"}], id="a 500 that is kept under the key"),
        pytest.param(
            [{"fault": "error_after", "stored": False}, {"fault": "close_before", "times": 2}], id="a 500 that is not"
        ),
    ],
)
async def test_a_charge_whose_answer_is_lost_stays_pending_and_is_paid_by_its_webhook(
    driver: Driver, faults: list[Json]
) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.stripe.hold_webhooks()
    for fault in faults:
        await driver.stripe.fault(**fault, operation="invoices.pay")

    answer = await driver.buy(shop, addon)

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert await captured(driver, shop) == (49_900, 1)
    assert (await driver.buy(shop, addon)).status_code == 409
    await driver.end_mishaps()
    await driver.settle()
    record = await driver.record(answer.json()["id"])
    assert [line["to_status"] for line in record["history"]] == ["pending", "paid"]
    assert await captured(driver, shop) == (49_900, 1)


@pytest.mark.parametrize("operation", ["invoices.create", "invoiceitems.create", "invoices.finalize", "invoices.pay"])
@pytest.mark.parametrize("fault", ["close_after", "close_before"])
async def test_a_connection_that_breaks_once_is_ridden_out(driver: Driver, operation: str, fault: str) -> None:
    """The client tries again under the same key."""
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.stripe.fault(fault, operation=operation)

    answer = await driver.buy(shop, addon)

    assert (answer.status_code, answer.json()["status"]) == (201, "paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_while_stripe_does_not_answer_for_the_card_nothing_is_written(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.stripe.fault("error_before", operation="customers.retrieve", times=None, stored=False, status=503)

    refused = await driver.buy(shop, addon)

    assert (refused.status_code, problem_of(refused)) == (503, "stripe-unavailable")
    assert refused.headers["retry-after"]
    await driver.end_mishaps()
    assert (await driver.buy(shop, addon)).status_code == 201


async def test_a_refusal_that_is_not_about_the_card_fails_at_once(driver: Driver) -> None:
    """A permanent 4xx: nothing was charged, and nothing is left that could be."""
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.stripe.fault("error_before", operation="invoices.finalize", status=400)

    refused = await driver.buy(shop, addon)
    await driver.settle()

    assert (refused.status_code, problem_of(refused)) == (502, "stripe-refused")
    record = await driver.record(refused.json()["purchase"]["id"])
    assert (record["status"], record["payable"]) == ("failed", False)
    assert await captured(driver, shop) == (0, 0)
    assert (await driver.buy(shop, addon)).status_code == 201
