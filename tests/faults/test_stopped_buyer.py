"""The server ends in good order while a buyer waits for Stripe: the buyer comes again, and has the answer."""

import asyncio

from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.faults.conftest import becomes
from tests.seen import captured, problem_of


async def test_a_buyer_who_waits_for_stripe_while_the_server_ends_is_asked_to_come_again(
    stack: EmbeddedStack, driver: Driver, agreed: None
) -> None:
    shop, addon, key = await driver.given_a_workspace(), await driver.given_an_addon(), "the-same-key-as-before"
    await driver.stripe.drop_webhooks()  # else the row is paid by its webhook, and the buyer answered
    await driver.stripe.fault("late", operation="invoices.pay", times=3, seconds=25)
    # Stripe's client asks again after as many seconds as the server waits, and has its answer; then this holds it up.
    await driver.stripe.fault("hang_before", operation="invoices.retrieve", seconds=25)

    buying = asyncio.create_task(driver.buy(shop, addon, key=key))
    await driver.until(lambda: asked(driver), "Stripe is asked for the payment")
    await stack.processes["purchases-api"].stop(grace=25)
    answer = await buying
    await stack.start("purchases-api")
    repeated = await driver.buy(shop, addon, key=key)

    assert (answer.status_code, problem_of(answer)) == (503, "temporarily-unavailable")
    assert answer.headers["retry-after"]
    assert repeated.status_code in {200, 202}
    await becomes(driver, repeated.json()["id"], "paid")
    assert await captured(driver, shop) == (49_900, 1)


async def asked(driver: Driver) -> bool:
    return any(rule["hits"] for rule in await driver.stripe.faults() if rule["operation"] == "invoices.pay")
