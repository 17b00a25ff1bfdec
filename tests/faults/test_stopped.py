"""SIGTERM under load: each process ends within its bound, in good order, and nothing is lost or repeated."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable
from typing import Any, Final

import httpx
import pytest

from chassis.process.process import FOUNDATIONS_SECONDS, PARTS_SECONDS
from sandbox.driver import TEAM, Driver
from sandbox.stack import EmbeddedStack
from tests.faults.conftest import becomes
from tests.givens import given_a_pending_purchase
from tests.reconciliation_check import check_reconciliation
from tests.seen import captured

BOUND: Final = PARTS_SECONDS + FOUNDATIONS_SECONDS
MANY: Final = 5
UNDER_WAY_SECONDS: Final = 0.15
Json = dict[str, Any]


async def stopped_while(stack: EmbeddedStack, name: str, *work: Awaitable[Any]) -> list[Any]:
    """Begin `work`, stop the process in the middle of it, start it again; what came of the work, errors too."""
    process = stack.processes[name]
    under_way = asyncio.gather(*work, return_exceptions=True)
    await asyncio.sleep(UNDER_WAY_SECONDS)
    began = time.monotonic()
    process.send(signal.SIGTERM)
    ended = await process.wait(within=BOUND + 5)
    seconds, status = time.monotonic() - began, process.exit_code
    results: list[Any] = await under_way
    await stack.start(name)
    assert (ended, status) == (True, 0), process.tail()
    assert seconds < BOUND
    return results


@pytest.mark.parametrize("name", ["webhook-gateway", "purchases-worker", "notifier"])
async def test_one_on_the_way_from_the_webhook_to_the_mail_loses_and_repeats_nothing(
    stack: EmbeddedStack, driver: Driver, name: str
) -> None:
    pending = await asyncio.gather(*(given_a_pending_purchase(driver) for _ in range(MANY)))
    await driver.settle()

    results = await stopped_while(stack, name, *(driver.answer_bank(purchase["action_url"]) for _, purchase in pending))

    assert [error for error in results if isinstance(error, Exception)] == []
    for shop, purchase in pending:
        await becomes(driver, purchase["id"], "paid")
        assert await captured(driver, shop) == (49_900, 1)
    await driver.settle()
    for _, purchase in pending:
        assert [mail["To"][0]["Address"] for mail in await driver.mails_naming(purchase["id"])] == [TEAM]
    await check_reconciliation(driver, *driver.shops)


async def test_the_api_lets_requests_end_and_who_found_it_closed_buys_once_by_asking_again(
    stack: EmbeddedStack, driver: Driver
) -> None:
    shops = [await driver.given_a_workspace() for _ in range(MANY)]
    addon = await driver.given_an_addon()
    await driver.settle()

    results = await stopped_while(
        stack, "purchases-api", *(driver.buy(shop, addon, key=key(number)) for number, shop in enumerate(shops))
    )
    again = [await driver.buy(shop, addon, key=key(number)) for number, shop in enumerate(shops)]

    assert {one.status_code for one in results if isinstance(one, httpx.Response)} <= {201, 503}
    assert [one for one in results if not isinstance(one, httpx.Response | httpx.TransportError)] == []
    for shop, answer in zip(shops, again, strict=True):
        assert answer.status_code in {200, 201, 202}
        await becomes(driver, answer.json()["id"], "paid")
        assert await captured(driver, shop) == (49_900, 1)
    await driver.settle()
    await check_reconciliation(driver, *driver.shops)


def key(number: int) -> str:
    return f"stopped-in-the-middle-{number}"


async def test_the_catalog_publishes_what_it_confirmed(stack: EmbeddedStack, driver: Driver) -> None:
    addons = [await driver.given_an_addon(price="10.00") for _ in range(MANY)]
    await driver.settle()
    before = Counter([envelope.id for envelope, _ in await driver.inspector.facts()])  # other tests kill a relay

    results = await stopped_while(stack, "catalog", *(driver.change_addon(addon, price="20.00") for addon in addons))
    await driver.settle()

    confirmed = [one["id"] for one in results if isinstance(one, dict)]
    assert [one for one in results if not isinstance(one, dict | httpx.TransportError)] == []
    known = await driver.inspector.rows("purchases", "select id::text, price_cents from addons")
    assert {row["price_cents"] for row in known if row["id"] in confirmed} <= {2_000}
    published = Counter([envelope.id for envelope, _ in await driver.inspector.facts()]) - before
    assert {fact: times for fact, times in published.items() if times > 1} == {}
