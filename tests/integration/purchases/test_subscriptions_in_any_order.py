"""The final subscription and plan depend on the set of facts, not on their order or number (P5)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.stripe_facts import StripeFact
from tests.integration.purchases.harness import INSTANCE, Harness
from tests.integration.purchases.subscribers import VERSIONS, Subscriber, given_a_subscriber
from tests.rounds import rounds

pytestmark = pytest.mark.timeout(600)

EXAMPLES: Final = rounds(2, every=64)
FORGET: Final = (
    "delete from subscriptions",
    "delete from subscription_charges",
    "delete from subscription_invoices",
    "delete from stripe_commands",
    "delete from inbox",
    "delete from parked",
    "delete from outbox",
    "update workspaces set plan = 'free', sequence = 0",
)
Json = dict[str, Any]


async def signed_up(subscriber: Subscriber) -> None:
    """Through Checkout."""
    client = subscriber.harness.client
    metadata = {"quittance_instance": INSTANCE, "workspace_id": subscriber.workspace_id}
    session = await client.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "customer": subscriber.customer_id,
            "line_items": [{"price": subscriber.plans.monthly, "quantity": 1}],
            "success_url": "https://app.example/yes",
            "cancel_url": "https://app.example/no",
            "metadata": metadata,
            "subscription_data": {"metadata": metadata},
        }
    )
    await subscriber.harness.control.complete_session(session.id)


async def renewed_after_a_failure(subscriber: Subscriber) -> None:
    control, subscription_id = subscriber.harness.control, await subscriber.subscribe()
    method = (await control.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await control.change_card(method, "chargeCustomerFail")
    await control.renew(subscription_id)
    await control.change_card(method, "visa")
    await control.retry(subscription_id)


async def given_up(subscriber: Subscriber) -> None:
    control, subscription_id = subscriber.harness.control, await subscriber.subscribe()
    method = (await control.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await control.change_card(method, "chargeCustomerFail")
    await control.renew(subscription_id)
    await control.exhaust_retries(subscription_id)


async def cancelled_switched_and_resumed(subscriber: Subscriber) -> None:
    """Several changes within one second."""
    api, subscription_id = subscriber.harness.client.v1.subscriptions, await subscriber.subscribe()
    await api.update_async(subscription_id, {"cancel_at_period_end": True})
    await api.update_async(subscription_id, {"cancel_at_period_end": False})
    item = (await api.retrieve_async(subscription_id)).to_dict()["items"]["data"][0]["id"]
    await api.update_async(subscription_id, {"items": [{"id": item, "price": subscriber.plans.yearly}]})


Scenario = Callable[[Subscriber], Awaitable[None]]
SCENARIOS: Final[Sequence[Scenario]] = (signed_up, renewed_after_a_failure, given_up, cancelled_switched_and_resumed)


@pytest.fixture(params=SCENARIOS, ids=lambda scenario: scenario.__name__)
async def subscriber(harness: Harness, request: pytest.FixtureRequest) -> Subscriber:
    scenario: Scenario = request.param
    subscriber = await given_a_subscriber(harness)
    await scenario(subscriber)
    return subscriber


@pytest.fixture
async def facts(subscriber: Subscriber) -> dict[str | None, list[StripeFact]]:
    """By Stripe's version: all that Stripe reported."""
    return {version: await subscriber.harness.facts(version=version) for version in VERSIONS}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_events_in_any_order_end_with_the_subscription_that_stripe_has(
    harness: Harness, subscriber: Subscriber, facts: dict[str | None, list[StripeFact]], data: st.DataObject
) -> None:
    heard = facts[data.draw(st.sampled_from(VERSIONS))]
    again = data.draw(st.lists(st.sampled_from(heard), max_size=3))
    for statement in FORGET:
        await harness.execute(statement)

    for fact in data.draw(st.permutations([*heard, *again])):
        await harness.deliver(fact)
        if data.draw(st.booleans()):
            await harness.settle_everything()
    await harness.settle_everything()

    (row,) = await subscriber.rows()
    assert await _at_stripe(harness) == {name: row[name] for name in await _at_stripe(harness)}
    assert await subscriber.plan() == ("free" if row["status"] == "canceled" else "builder")
    assert await harness.parked() == []
    failures = [body["stripe_invoice_id"] for kind, body in await subscriber.published() if kind == "renewal_failed"]
    assert len(failures) == len(set(failures))


async def _at_stripe(harness: Harness) -> Json:
    (subscription,) = (await harness.control.objects(kind="subscription"))["subscription"]
    (item,) = subscription["items"]["data"]
    moments = {
        "current_period_end": item["current_period_end"],
        "cancel_at": subscription["cancel_at"],
        "ended_at": subscription["ended_at"],
        "started_at": subscription["start_date"],
    }
    return {
        "stripe_subscription_id": subscription["id"],
        "status": subscription["status"],
        "stripe_price_id": item["price"]["id"],
        "interval": item["price"]["recurring"]["interval"],
        "cancel_at_period_end": subscription["cancel_at_period_end"],
        **{name: at and datetime.fromtimestamp(at, UTC) for name, at in moments.items()},
    }
