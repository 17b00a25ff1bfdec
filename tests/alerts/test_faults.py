"""A part is stopped: somebody is called for that, for nothing else, and no longer than it lasts.

Symptoms fire beside their cause, and Alertmanager keeps them back. In the order of what each fault leaves behind.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import httpx
import pytest

from sandbox.driver import Driver
from sandbox.processes import SERVICES
from sandbox.stack import EmbeddedStack
from tests.alerts.watch import RELAYED_BY, Watch

FIRES_WITHIN: Final = 60
CLEARS_WITHIN: Final = 90
ADDONS: Final = 60
"""Of which a workspace buys one after the other: enough for one fault."""
BUDGET: Final = ("WebhookErrorBudgetBurnsFast", "WebhookErrorBudgetBurnsSlowly")
"""What Kafka's absence costs of the month's budget is said for a while after it is back."""


@asynccontextmanager
async def traffic(driver: Driver) -> AsyncIterator[None]:
    """People buy all the time, Stripe tells of it, and whoever meets a fault goes on."""

    async def one_buys() -> None:
        for addon in addons:
            with suppress(httpx.HTTPError, TimeoutError):
                async with asyncio.timeout(10):
                    await driver.buy(shop, addon)
            await asyncio.sleep(0.5)

    shop = await driver.given_a_workspace()
    addons = [await driver.given_an_addon() for _ in range(ADDONS)]
    buyer = asyncio.create_task(one_buys())
    try:
        yield
    finally:
        buyer.cancel()
        await asyncio.gather(buyer, return_exceptions=True)


async def test_a_product_that_runs_calls_nobody(watch: Watch, driver: Driver) -> None:
    """Given a fresh start and people who buy, then every process is scraped and no alert fires."""
    async with traffic(driver):
        await driver.until(lambda: _all_seen(watch), "all are scraped")
        for _ in range(20):
            assert await watch.firing() == set()
            await asyncio.sleep(1)


async def _all_seen(watch: Watch) -> bool:
    """Prometheus evaluates rules some seconds before it knows of a target: until then each process is absent."""
    seen = await watch.services() == {*(service.name for service in SERVICES), *RELAYED_BY}
    return seen and "ProcessDown" not in await watch.firing()


Fault = Callable[[EmbeddedStack, Driver], Awaitable[None]]


async def kill_worker(stack: EmbeddedStack, _: Driver) -> None:
    await stack.kill("purchases-worker")


async def start_worker(stack: EmbeddedStack, _: Driver) -> None:
    await stack.start("purchases-worker")


async def stop_mail_server(stack: EmbeddedStack, _: Driver) -> None:
    await stack.processes["mailbox"].stop()


async def start_mail_server(stack: EmbeddedStack, _: Driver) -> None:
    stack.processes["mailbox"].start()


async def break_stripe(_: EmbeddedStack, driver: Driver) -> None:
    await driver.stripe.fault("close_before", times=None)


async def mend_stripe(_: EmbeddedStack, driver: Driver) -> None:
    await driver.stripe.reset_faults()


async def stop_postgresql(stack: EmbeddedStack, _: Driver) -> None:
    await stack.database_down()


async def start_postgresql(stack: EmbeddedStack, _: Driver) -> None:
    await stack.database_up()


async def stop_kafka(stack: EmbeddedStack, _: Driver) -> None:
    await stack.broker_down()


async def start_kafka(stack: EmbeddedStack, _: Driver) -> None:
    await stack.broker_up()


@pytest.mark.parametrize(
    ("alert", "fault", "end", "stays"),
    [
        ("ProcessDown", kill_worker, start_worker, ()),
        ("MailServerDown", stop_mail_server, start_mail_server, ()),
        ("StripeUnavailable", break_stripe, mend_stripe, ()),
        ("DatabaseUnreachable", stop_postgresql, start_postgresql, ()),
        ("KafkaUnreachable", stop_kafka, start_kafka, BUDGET),
    ],
)
async def test_a_part_that_stops_is_what_somebody_is_called_for(
    stack: EmbeddedStack,
    watch: Watch,
    driver: Driver,
    *,
    alert: str,
    fault: Fault,
    end: Fault,
    stays: tuple[str, ...],
) -> None:
    await watch.is_quiet(within=CLEARS_WITHIN)
    async with traffic(driver):
        await fault(stack, driver)
        try:
            called = await watch.calls(alert, within=FIRES_WITHIN)
            called |= await watch.calls_for(10)
        finally:
            await end(stack, driver)
        await watch.is_quiet(within=CLEARS_WITHIN, but=stays)

    assert called == {alert}
