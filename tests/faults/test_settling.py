"""No answer and no webhook: the ledger asks Stripe, and says what is true there. It never pays."""

from typing import Any

import pytest

from sandbox.driver import Driver
from tests.faults.conftest import becomes
from tests.seen import captured, invoice_status

Json = dict[str, Any]
GONE = {"fault": "close_before", "times": 2}


async def test_a_buyer_who_came_back_from_the_bank_is_settled_although_every_webhook_was_lost(
    driver: Driver, agreed: None
) -> None:
    """No event came: the look that was due anyway finds it, half a minute later."""
    shop, addon = await driver.given_a_workspace(card="pm_card_authenticationRequired"), await driver.given_an_addon()
    await driver.stripe.drop_webhooks()
    purchase = (await driver.buy(shop, addon)).json()

    await driver.answer_bank(purchase["action_url"])

    await becomes(driver, purchase["id"], "paid", seconds=90)
    assert await captured(driver, shop) == (49_900, 1)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([{"fault": "hang_after", "seconds": 15}, GONE], id="timed out"),
        pytest.param([{"fault": "close_after"}, GONE], id="the connection broke"),
        pytest.param([{"fault": "error_after"}], id="a 500"),
    ],
)
async def test_a_charge_that_went_through_unheard_is_found_paid(
    driver: Driver, faults: list[Json], agreed: None
) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.stripe.drop_webhooks()
    for fault in faults:
        await driver.stripe.fault(**fault, operation="invoices.pay")

    answer = await driver.buy(shop, addon)

    assert (answer.status_code, answer.json()["status"]) in {(202, "pending"), (201, "paid")}
    await becomes(driver, answer.json()["id"], "paid")
    record = await driver.record(answer.json()["id"])
    assert [line["to_status"] for line in record["history"]] == ["pending", "paid"]
    assert await captured(driver, shop) == (49_900, 1)
    pays = [one for one in await driver.stripe.requests(operation="invoices.pay") if _is_about(one, record)]
    assert len({one["idempotency_key"] for one in pays}) == 1


def _is_about(request: Json, record: Json) -> bool:
    return record["stripe_invoice_id"] in request["path"]


@pytest.mark.parametrize(
    ("operation", "fault", "left"),
    [
        pytest.param("invoices.pay", {"fault": "error_before"}, "void", id="pay, a 500"),
        pytest.param("invoices.pay", {"fault": "rate_limit", "times": 4}, "void", id="pay, 429 for long"),
        pytest.param("invoices.pay", {"fault": "close_before", "times": 3}, "void", id="pay, no connection"),
        pytest.param("invoices.finalize", {"fault": "error_before"}, None, id="finalize, a 500"),
        pytest.param("invoices.finalize", {"fault": "error_after"}, "void", id="finalize, a 500 though done"),
        pytest.param("invoiceitems.create", {"fault": "error_after"}, None, id="item, a 500 though done"),
        pytest.param("invoices.create", {"fault": "error_after"}, None, id="draft, a 500 though done"),
        pytest.param("invoices.create", {"fault": "error_before"}, None, id="draft, a 500"),
    ],
)
async def test_a_charge_that_never_happened_is_pending_then_failed_and_can_be_bought_again(
    driver: Driver, operation: str, fault: Json, left: str | None, agreed: None
) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.stripe.fault(**fault, operation=operation)

    answer = await driver.buy(shop, addon)

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    await becomes(driver, answer.json()["id"], "failed")
    await driver.settle()
    record = await driver.record(answer.json()["id"])
    assert (record["payable"], await invoice_status(driver, record)) == (False, left)
    assert await captured(driver, shop) == (0, 0)
    assert (await driver.buy(shop, addon)).status_code == 201


async def test_what_waits_for_the_buyer_is_left_alone_by_settling(driver: Driver, agreed: None) -> None:
    shop, addon = await driver.given_a_workspace(card="pm_card_authenticationRequired"), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    await driver.until(lambda: was_settled(driver, purchase), "it was looked at")

    await driver.settle()
    assert (await driver.record(purchase["id"]))["status"] == "pending"
    assert await captured(driver, shop) == (0, 0)


async def was_settled(driver: Driver, purchase: Json) -> bool:
    query = "select attempts from stripe_commands where key = $1"
    (job,) = await driver.inspector.rows("purchases", query, f"settle:{purchase['id']}")
    return bool(job["attempts"])
