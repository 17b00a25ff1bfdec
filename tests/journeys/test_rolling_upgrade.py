"""While the product is upgraded, processes of two versions share the databases and Kafka, in either direction.

Jobs, outbox rows, parked rows, sessions and forms that one version left are carried to their end by the other.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest

from sandbox.driver import Driver
from sandbox.processes import SERVICES
from sandbox.shop import Shop
from sandbox.stack import EmbeddedStack
from tests.forms import PageForm, read
from tests.givens import given_a_pending_purchase
from tests.seen import captured
from tests.stack import earlier

Json = dict[str, Any]
Version = Mapping[str, str]
"""The settings that make a process run it."""
NOW: Final[Version] = {}
API: Final = ("purchases-api",)
LEASE_ENDS: Final = 240
"""Seconds. A job that was under way when its worker was stopped is leased for 180: the old version gives none back."""
REST: Final = tuple(service.name for service in SERVICES if service.name not in API)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """The version that is upgraded from."""
    try:
        return earlier.settings(earlier.unpack(tmp_path_factory.mktemp("earlier")))
    except earlier.NotInHistory as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["forward", "back"])
async def versions(
    request: pytest.FixtureRequest, stack: EmbeddedStack, before: Version
) -> AsyncIterator[tuple[Version, Version]]:
    """The one that runs first, and the one that comes after it; every process runs the first."""
    first, second = (before, NOW) if request.param == "forward" else (NOW, before)
    if first is not NOW:
        await run(stack, first, *API, *REST)
    yield first, second
    if second is not NOW:
        await run(stack, NOW, *API, *REST)


async def run(stack: EmbeddedStack, version: Version, *services: str) -> None:
    """Start these services again, as processes of that version."""
    await asyncio.gather(*(stack.restart(name, version) for name in services))


@pytest.mark.timeout(900)
@pytest.mark.unrecorded("how far each version came is another with each run")
async def test_what_one_version_left_the_other_carries_to_its_end(
    stack: EmbeddedStack, driver: Driver, versions: tuple[Version, Version]
) -> None:
    _, second = versions
    shop, paid = await bought(driver)
    form = await form_of(driver, shop, await driver.given_an_addon(price="20.00"))
    at_the_bank = await given_a_pending_purchase(driver)
    early = await given_a_refund_that_waits_for_its_payment(driver)
    cheap = await driver.given_an_addon(price="10.00")
    await driver.until(lambda: nothing_is_leased(driver), "no job is under way: one cut off waits for its lease's end")
    await stack.stop_process("purchases-worker")
    await driver.end_mishaps()
    unpublished = (await driver.buy(shop, cheap)).json()
    await driver.move(paid["id"], "refund", amount_cents=10_000, reason="asked of the one version")
    assert await driver.inspector.rows("purchases", "select id from outbox where key = $1", unpublished["id"])
    assert await driver.inspector.rows(
        "purchases", "select id from stripe_commands where state = 'open' and kind = 'refund'"
    )

    await run(stack, second, *REST)
    beside = (await driver.buy(shop, await driver.given_an_addon(price="30.00"))).json()
    await driver.settle(seconds=LEASE_ENDS)
    assert await states(driver, paid, early, unpublished, beside) == ["paid", "refunded", "paid", "paid"]
    assert (await driver.record(paid["id"]))["refunded_cents"] == 10_000

    await run(stack, second, *API)
    await send(driver, shop, form)
    await driver.answer_bank(at_the_bank[1]["action_url"])
    after = (await driver.buy(shop, await driver.given_an_addon(price="40.00"))).json()
    await driver.settle(seconds=LEASE_ENDS)
    assert await states(driver, at_the_bank[1], after) == ["paid", "paid"]
    assert await captured(driver, shop) == (49_900 + 1_000 + 2_000 + 3_000 + 4_000, 5)


async def bought(driver: Driver) -> tuple[Shop, Json]:
    shop = await driver.given_a_workspace()
    answer = await driver.buy(shop, await driver.given_an_addon())
    await driver.settle(seconds=LEASE_ENDS)
    return shop, answer.json()


async def given_a_refund_that_waits_for_its_payment(driver: Driver) -> Json:
    """It is parked, since Stripe says nothing of the payment yet."""
    _, purchase = await given_a_pending_purchase(driver)
    await driver.settle(seconds=LEASE_ENDS)
    await driver.stripe.hold_webhooks("invoice*")
    await driver.stripe.fault("error_before", operation="invoices.retrieve", times=None, stored=False)
    await driver.answer_bank(purchase["action_url"])
    await driver.refund(purchase)
    query = "select id from parked where waits_for = $1 and resolved_at is null"
    await driver.until(lambda: driver.inspector.rows("purchases", query, f"paid:{purchase['id']}"), "the refund waits")
    return purchase


async def nothing_is_leased(driver: Driver) -> bool:
    query = "select id from stripe_commands where state = 'open' and leased_until is not null"
    return not await driver.inspector.rows("purchases", query)


async def form_of(driver: Driver, shop: Shop, addon: Json) -> PageForm:
    """The form that buys it, as the page shows it to the owner."""
    page = await driver.http.get(
        f"{driver.stack.pages_url}/app/{shop.workspace_id}/billing/addons", headers=cookie(shop)
    )
    assert page.status_code == 200, page.text
    return next(form for form in read(page).forms if ("addon", addon["slug"]) in form.fields)


async def send(driver: Driver, shop: Shop, form: PageForm) -> None:
    headers = cookie(shop) | {"Origin": driver.stack.pages_url}
    answer = await driver.http.post(f"{driver.stack.pages_url}{form.action}", data=form.filled(), headers=headers)
    assert answer.status_code == 303, answer.text


def cookie(shop: Shop) -> dict[str, str]:
    return {"Cookie": f"quittance_session={shop.token}"}


async def states(driver: Driver, *purchases: Json) -> list[str]:
    return [(await driver.record(purchase["id"]))["status"] for purchase in purchases]
