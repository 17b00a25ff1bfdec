"""A part that everything stands on is away for a while: who asks is told, and when it is back nothing is lost."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from sandbox.driver import TEAM, Scene
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


async def test_while_kafka_is_down_webhooks_are_told_503_buying_works_and_afterwards_nothing_is_lost(
    stack: EmbeddedStack, scene: Scene, agreed: None
) -> None:
    at_the_bank, purchase = await given_a_pending_purchase(scene)
    shop, addon = await scene.given_a_workspace(), await scene.given_an_addon()
    await scene.settle()

    async with broker_away(stack):
        await scene.answer_bank(purchase["action_url"])
        refused = await scene.until(lambda: a_refused_webhook(scene), "the gateway says 503", seconds=30)
        bought = await scene.buy(shop, addon)

    assert problem_of(refused) == "broker-unavailable"
    assert refused.headers["retry-after"]
    assert (bought.status_code, bought.json()["status"]) == (201, "paid")
    await becomes(scene, purchase["id"], "paid", seconds=90)
    await scene.settle(seconds=90)
    for who, one in ((at_the_bank, purchase), (shop, bought.json())):
        assert await captured(scene, who) == (49_900, 1)
        assert [mail["To"][0]["Address"] for mail in await scene.mails_naming(one["id"])] == [TEAM]
    events = {event["id"] for event in await scene.events_about(at_the_bank)}
    assert {d["state"] for d in await scene.stripe.deliveries() if d["event"] in events} == {"delivered"}


async def a_refused_webhook(scene: Scene) -> httpx.Response | None:
    """A signed event of our own, when the gateway does not take it."""
    event = {"id": "evt_nobody", "object": "event", "type": "invoice.paid", "livemode": False, "created": 1}
    body = json.dumps(event | {"data": {"object": {"id": "in_nobody", "object": "invoice"}}}).encode()
    signed = signature_header(body=body, secrets=scene.stack.stripe_webhook_secrets, timestamp=int(time.time()))
    answer = await scene.http.post(
        f"{scene.stack.gateway_url}/billing/webhook", content=body, headers={"Stripe-Signature": signed}
    )
    return answer if answer.status_code == 503 else None


async def test_while_the_database_is_down_webhooks_are_taken_and_afterwards_applied(
    stack: EmbeddedStack, scene: Scene, agreed: None
) -> None:
    shop, purchase = await given_a_pending_purchase(scene)
    await scene.settle()

    await stack.database_down()
    try:
        await scene.answer_bank(purchase["action_url"])
        assert await scene.stripe.quiet(timeout=30)
    finally:
        await stack.database_up()

    await scene.until(lambda: answers_again(scene, purchase["id"]), "the API has found its database again")
    await becomes(scene, purchase["id"], "paid")
    assert await captured(scene, shop) == (49_900, 1)


async def answers_again(scene: Scene, purchase_id: str) -> bool:
    """Connections of before are found broken one by one: each is an error to somebody."""
    try:
        return all([await scene.record(purchase_id) for _ in range(10)])
    except httpx.HTTPStatusError:
        return False


@pytest.mark.parametrize("secret", ["", "whsec_...", "None"])
async def test_without_a_usable_secret_a_protected_gateway_stays_up_and_refuses_everything(
    stack: EmbeddedStack, scene: Scene, secret: str
) -> None:
    await stack.restart("webhook-gateway", {"APP_ENV": "production", "STRIPE_WEBHOOK_SECRETS": secret})
    try:
        signed = signature_header(body=b"{}", secrets=[secret or "x"], timestamp=1)
        for method, path in (("POST", "/billing/webhook"), ("POST", "/webhooks/stripe-billing"), ("GET", "/")):
            answer = await scene.http.request(
                method, scene.stack.gateway_url + path, content=b"{}", headers={"Stripe-Signature": signed}
            )
            assert (answer.status_code, problem_of(answer)) == (403, "webhook-secret-missing")
        alive = await scene.http.get(f"{stack.operations_url('webhook-gateway')}/livez")
        gauges = await scene.http.get(f"{stack.operations_url('webhook-gateway')}/metrics")
    finally:
        await stack.restart("webhook-gateway")

    assert alive.status_code == 200
    assert "billing_webhook_secret_missing 1.0" in gauges.text
    assert "secret" in stack.logs("webhook-gateway")


async def test_with_a_wrong_secret_a_protected_gateway_refuses_stripes_events_until_it_is_put_right(
    stack: EmbeddedStack, scene: Scene, agreed: None
) -> None:
    shop, purchase = await given_a_pending_purchase(scene)
    await scene.settle()
    wrong = {"APP_ENV": "production", "STRIPE_WEBHOOK_SECRETS": "whsec_" + "5" * 32}
    await stack.restart("webhook-gateway", wrong)
    try:
        await scene.answer_bank(purchase["action_url"])
        await scene.until(lambda: was_refused(scene), "Stripe heard a 403")
        assert (await scene.record(purchase["id"]))["status"] == "pending"
    finally:
        await stack.restart("webhook-gateway")

    await becomes(scene, purchase["id"], "paid")
    assert await captured(scene, shop) == (49_900, 1)


async def was_refused(scene: Scene) -> bool:
    return any(403 in delivery["statuses"] for delivery in await scene.stripe.deliveries())
