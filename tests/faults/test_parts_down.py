"""A part that everything stands on is away for a while: each caller gets an answer, and nothing is lost."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from sandbox.driver import TEAM, Driver
from sandbox.process import ProcessDied
from sandbox.stack import EmbeddedStack
from sandbox.stripe.signing import signature_header
from tests.faults.conftest import becomes
from tests.givens import given_a_pending_purchase
from tests.seen import captured, problem_of


@asynccontextmanager
async def broker_away(stack: EmbeddedStack) -> AsyncIterator[None]:
    await stack.broker_down()
    try:
        yield
    finally:
        await stack.broker_up()


async def test_while_kafka_is_down_webhooks_are_answered_503_buying_works_and_afterwards_nothing_is_lost(
    stack: EmbeddedStack, driver: Driver, agreed: None
) -> None:
    at_the_bank, purchase = await given_a_pending_purchase(driver)
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.settle()

    async with broker_away(stack):
        await driver.answer_bank(purchase["action_url"])
        refused = await driver.until(lambda: a_refused_webhook(driver), "the gateway says 503", seconds=30)
        bought = await driver.buy(shop, addon)

    assert problem_of(refused) == "broker-unavailable"
    assert refused.headers["retry-after"]
    assert (bought.status_code, bought.json()["status"]) == (201, "paid")
    await becomes(driver, purchase["id"], "paid", seconds=90)
    await driver.settle(seconds=90)
    for who, one in ((at_the_bank, purchase), (shop, bought.json())):
        assert await captured(driver, who) == (49_900, 1)
        assert [mail["To"][0]["Address"] for mail in await driver.mails_naming(one["id"])] == [TEAM]
    events = {event["id"] for event in await driver.events_about(at_the_bank)}
    assert {d["state"] for d in await driver.stripe.deliveries() if d["event"] in events} == {"delivered"}


async def a_refused_webhook(driver: Driver) -> httpx.Response | None:
    """A signed event of our own, when the gateway does not take it."""
    event = {"id": "evt_nobody", "object": "event", "type": "invoice.paid", "livemode": False, "created": 1}
    body = json.dumps(event | {"data": {"object": {"id": "in_nobody", "object": "invoice"}}}).encode()
    signed = signature_header(body=body, secrets=driver.stack.stripe_webhook_secrets, timestamp=int(time.time()))
    answer = await driver.http.post(
        f"{driver.stack.gateway_url}/billing/webhook", content=body, headers={"Stripe-Signature": signed}
    )
    return answer if answer.status_code == 503 else None


async def test_while_the_database_is_down_webhooks_are_taken_and_afterwards_applied(
    stack: EmbeddedStack, driver: Driver, agreed: None
) -> None:
    shop, purchase = await given_a_pending_purchase(driver)
    await driver.settle()

    await stack.database_down()
    try:
        await driver.answer_bank(purchase["action_url"])
        assert await driver.stripe.quiet(timeout=30)
    finally:
        await stack.database_up()

    await driver.until(lambda: answers_again(driver, purchase["id"]), "the API has found its database again")
    await becomes(driver, purchase["id"], "paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_what_a_client_was_answered_is_there_after_the_postmaster_was_killed(
    stack: EmbeddedStack, driver: Driver, agreed: None
) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()

    bought = await driver.buy(shop, addon)
    await stack.kill("postgres")
    await driver.until(lambda: database_is_back(stack), "PostgreSQL has recovered", seconds=120)

    purchase = bought.json()
    assert (bought.status_code, purchase["status"]) == (201, "paid")
    rows = await driver.inspector.rows(
        "purchases", "select status from workspace_addon_purchases where id = $1", purchase["id"]
    )
    assert [row["status"] for row in rows] == ["paid"]
    await driver.until(lambda: answers_again(driver, purchase["id"]), "the API has found its database again")
    assert await captured(driver, shop) == (49_900, 1)


async def database_is_back(stack: EmbeddedStack) -> bool:
    """It refuses to start while a process of the one that was killed still holds its memory."""
    try:
        await stack.database_up()
    except ProcessDied:
        return False
    return True


async def answers_again(driver: Driver, purchase_id: str) -> bool:
    """Connections of before are found broken one by one: each is an error to somebody."""
    try:
        return all([await driver.record(purchase_id) for _ in range(10)])
    except httpx.HTTPStatusError:
        return False


@pytest.mark.parametrize("secret", ["", "whsec_...", "None"])
async def test_without_a_usable_secret_a_protected_gateway_stays_up_and_refuses_everything(
    stack: EmbeddedStack, driver: Driver, secret: str
) -> None:
    without = {"APP_ENV": "production", "STRIPE_WEBHOOK_SECRETS": secret}
    await stack.restart("webhook-gateway", without, until="/livez")
    try:
        signed = signature_header(body=b"{}", secrets=[secret or "x"], timestamp=1)
        for method, path in (("POST", "/billing/webhook"), ("POST", "/webhooks/stripe-billing"), ("GET", "/")):
            answer = await driver.http.request(
                method, driver.stack.gateway_url + path, content=b"{}", headers={"Stripe-Signature": signed}
            )
            assert (answer.status_code, problem_of(answer)) == (403, "webhook-secret-missing")
        alive = await driver.http.get(f"{stack.operations_url('webhook-gateway')}/livez")
        ready = await driver.http.get(f"{stack.operations_url('webhook-gateway')}/readyz")
        gauges = await driver.http.get(f"{stack.operations_url('webhook-gateway')}/metrics")
    finally:
        await stack.restart("webhook-gateway")

    assert (alive.status_code, ready.status_code) == (200, 503)
    assert "secrets" in ready.json()["reasons"]
    assert "billing_webhook_secret_missing 1.0" in gauges.text
    assert "secret" in stack.logs("webhook-gateway")


async def test_with_a_wrong_secret_a_protected_gateway_refuses_stripes_events_until_it_is_put_right(
    stack: EmbeddedStack, driver: Driver, agreed: None
) -> None:
    shop, purchase = await given_a_pending_purchase(driver)
    await driver.settle()
    wrong = {"APP_ENV": "production", "STRIPE_WEBHOOK_SECRETS": "whsec_" + "5" * 32}
    await stack.restart("webhook-gateway", wrong)
    try:
        await driver.answer_bank(purchase["action_url"])
        await driver.until(lambda: was_refused(driver), "Stripe heard a 403")
        assert (await driver.record(purchase["id"]))["status"] == "pending"
    finally:
        await stack.restart("webhook-gateway")

    await becomes(driver, purchase["id"], "paid")
    assert await captured(driver, shop) == (49_900, 1)


async def was_refused(driver: Driver) -> bool:
    return any(403 in delivery["statuses"] for delivery in await driver.stripe.deliveries())
