"""What no event reported of subscriptions is found by comparing what runs at Stripe with what is stored."""

from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from purchases.jobs.kinds import Reconcile
from purchases.jobs.store import enqueue
from purchases.reconcile.reconcile_subscriptions import reconcile_subscriptions
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import Subscriber, given_a_subscriber

Missed = Callable[[Subscriber, str], Awaitable[None]]


async def deleted(subscriber: Subscriber, subscription_id: str) -> None:
    await subscriber.harness.client.v1.subscriptions.cancel_async(subscription_id)


async def to_be_cancelled(subscriber: Subscriber, subscription_id: str) -> None:
    await subscriber.harness.client.v1.subscriptions.update_async(subscription_id, {"cancel_at_period_end": True})


async def past_due(subscriber: Subscriber, subscription_id: str) -> None:
    control = subscriber.harness.control
    method = (await control.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await control.change_card(method, "chargeCustomerFail")
    await control.renew(subscription_id)


async def renewed(subscriber: Subscriber, subscription_id: str) -> None:
    await subscriber.harness.control.renew(subscription_id)


async def switched(subscriber: Subscriber, subscription_id: str) -> None:
    api = subscriber.harness.client.v1.subscriptions
    item = (await api.retrieve_async(subscription_id)).to_dict()["items"]["data"][0]["id"]
    await api.update_async(subscription_id, {"items": [{"id": item, "price": subscriber.plans.yearly}]})


MISSED: Final[tuple[Missed, ...]] = (deleted, to_be_cancelled, past_due, renewed, switched)


@pytest.mark.parametrize("happens", MISSED, ids=lambda missed: missed.__name__)
async def test_what_no_event_reported_is_taken_as_its_event_would_be(harness: Harness, happens: Missed) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await subscriber.hear()
    seen = len(await harness.control.events())
    await happens(subscriber, subscription_id)

    assert await reconcile_subscriptions(harness.context) == 1

    swept, plan = await subscriber.rows(), await subscriber.plan()
    await harness.execute("truncate inbox")
    await subscriber.hear(since=seen)
    assert (await subscriber.rows(), await subscriber.plan()) == (swept, plan)
    assert plan == ("free" if happens is deleted else "builder")
    assert await reconcile_subscriptions(harness.context) == 0


async def test_one_of_which_nothing_was_heard_is_taken_with_its_plan(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()

    assert await reconcile_subscriptions(harness.context) == 1

    assert [row["stripe_subscription_id"] for row in await subscriber.rows()] == [subscription_id]
    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "active")
    changed = [body["plan"] for kind, body in await subscriber.published() if kind == "plan_changed"]
    assert changed == ["builder"]
    assert await reconcile_subscriptions(harness.context) == 0


async def test_a_workspace_whose_plan_is_not_what_its_subscription_says_is_put_right(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await subscriber.hear()
    await harness.execute("update workspaces set plan = 'free'")

    assert await reconcile_subscriptions(harness.context) == 1

    assert await subscriber.plan() == "builder"


async def test_what_has_ended_stays_so_and_is_not_asked_for_again(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await subscriber.hear()
    await harness.execute("update subscriptions set status = 'canceled'")
    await harness.execute("update workspaces set plan = 'free'")

    assert await reconcile_subscriptions(harness.context) == 0

    assert (await subscriber.plan(), await subscriber.status()) == ("free", "canceled")


async def test_another_instances_and_strangers_subscriptions_are_left_alone(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    staging = await subscriber.subscribe()
    await harness.client.v1.subscriptions.update_async(staging, {"metadata": {"quittance_instance": "staging"}})
    stranger = await harness.client.v1.customers.create_async()
    await harness.give_card(stranger.id, "pm_card_visa")
    await harness.client.v1.subscriptions.create_async(
        {"customer": stranger.id, "items": [{"price": subscriber.plans.monthly}]}
    )

    assert await reconcile_subscriptions(harness.context) == 0

    assert (await subscriber.rows(), await harness.parked()) == ([], [])


async def test_one_whose_price_the_plan_has_no_more_is_asked_for_by_its_id(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await subscriber.hear()
    await harness.execute("update plans set prices = '[]'")
    assert await reconcile_subscriptions(harness.context) == 0

    await deleted(subscriber, subscription_id)

    assert await reconcile_subscriptions(harness.context) == 1
    assert await subscriber.plan() == "free"


async def test_a_whole_page_and_more_is_read(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await subscriber.hear()
    stranger = await harness.client.v1.customers.create_async()
    await harness.give_card(stranger.id, "pm_card_visa")
    for _ in range(101):
        await harness.client.v1.subscriptions.create_async(
            {"customer": stranger.id, "items": [{"price": subscriber.plans.monthly}]}
        )
    await harness.control.fault("error_before", operation="subscriptions.retrieve")

    assert await reconcile_subscriptions(harness.context) == 0


async def test_the_sweep_of_the_worker_compares_them_too(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await subscriber.hear()
    await deleted(subscriber, subscription_id)
    async with harness.database.transaction() as session:
        await enqueue(session, Reconcile(instance="test"))

    for _ in range(3):
        await harness.run_jobs()

    assert await subscriber.plan() == "free"
