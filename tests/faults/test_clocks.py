"""A worker whose clock is ten minutes wrong, by libfaketime: leases are the database's, and so nobody's but its own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.faults.conftest import LEASE_SECONDS
from tests.givens import given_a_paid_purchase
from tests.seen import captured

LIBRARIES: Final = ("/usr/lib", "/usr/local/lib", "/usr/lib64")
SLOW: Final = 3.0
"""Seconds that Stripe takes for a refund: a worker's other loops have looked for work several times by then."""


@pytest.fixture(scope="module")
def faketime() -> str:
    """Debian's; `apt-get install libfaketime` (`tests/faults/install.sh` does, which `make faults` calls)."""
    found = next((str(one) for root in LIBRARIES for one in Path(root).rglob("libfaketimeMT.so.1")), None)
    assert found, "there is no libfaketime here: apt-get install libfaketime"
    return found


@pytest.fixture(params=["-10m", "+10m"])
async def wrong_clock(stack: EmbeddedStack, faketime: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The worker's clock is wrong; what measures there how long something takes is right."""
    wrong = {"LD_PRELOAD": faketime, "FAKETIME": request.param, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    await stack.restart("purchases-worker", wrong)
    yield request.param
    await stack.restart("purchases-worker")


async def test_with_a_wrong_clock_a_refund_is_sent_once(driver: Driver, wrong_clock: str, agreed: None) -> None:
    """Ten minutes behind, four loops of one worker sent it ten times at once: each lease was over when it began."""
    _, purchase = await given_a_paid_purchase(driver)
    await driver.stripe.fault("hang_before", operation="refunds.create", seconds=SLOW)
    before = len(await driver.stripe.requests(operation="refunds.create"))

    await driver.move(purchase["id"], "refund", amount_cents=10_000, reason="half of it")
    await driver.settle()

    assert (await driver.record(purchase["id"]))["refunded_cents"] == 10_000
    sent = len(await driver.stripe.requests(operation="refunds.create")) - before
    assert sent == 2  # the one without an answer, and its client's repeat of it


async def test_with_a_wrong_clock_a_purchase_is_charged_once(driver: Driver, wrong_clock: str, agreed: None) -> None:
    """Its lease is renewed while Stripe does not answer: a worker ten minutes ahead took it for over, and voided."""
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.stripe.fault("hang_before", operation="invoices.pay", seconds=LEASE_SECONDS + SLOW)

    answer = await driver.buy(shop, addon)

    assert (answer.status_code, answer.json()["status"]) == (201, "paid")
    assert await captured(driver, shop) == (49_900, 1)
