"""What a workspace sees of its next charge is what Stripe says, after each change of its subscription."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from contracts.stripe_facts import SubscriptionScheduleChanged
from tests.integration.purchases.api import Api, an_api
from tests.integration.purchases.harness import Harness, Json
from tests.integration.purchases.subscribers import Subscriber, given_a_subscriber

DAY: Final = 24 * 3600


@pytest.fixture
async def api(harness: Harness) -> AsyncIterator[Api]:
    async with an_api(harness.database, harness.client) as api:
        yield api


async def _next(api: Api, subscriber: Subscriber) -> Json:
    token = {"sub": "olga", "workspaces": {subscriber.workspace_id: "owner"}}
    answer = await api.call("GET", f"/v1/workspaces/{subscriber.workspace_id}/billing", token=token)
    found: Json = answer.json()["next_charge"]
    return found


async def _subscribed(harness: Harness) -> tuple[Subscriber, str, int]:
    """Who subscribed by the month; the subscription, and when its period ends, Unix time."""
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await subscriber.hear()
    found: Any = await harness.client.v1.subscriptions.retrieve_async(subscription_id)
    return subscriber, subscription_id, found.to_dict()["items"]["data"][0]["current_period_end"]


async def _change(harness: Harness, subscriber: Subscriber, subscription_id: str, **changes: Any) -> None:
    seen = len(await harness.control.events())
    wanted: Any = changes
    await harness.client.v1.subscriptions.update_async(subscription_id, wanted)
    await subscriber.hear(since=seen)


def _seconds(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp())


async def test_a_subscription_that_runs_says_when_and_how_much(harness: Harness, api: Api) -> None:
    subscriber, _, period_end = await _subscribed(harness)

    shown = await _next(api, subscriber)

    assert (shown["state"], shown["amount_cents"], shown["amount"], shown["currency"]) == ("known", 900, "9.00", "EUR")
    assert (shown["collection_method"], shown["none_because"]) == ("charge_automatically", None)
    assert 0 <= _seconds(shown["at"]) - period_end <= 2 * 3600
    assert abs(_seconds(shown["as_of"]) - datetime.now(UTC).timestamp()) < 60


async def test_who_has_no_subscription_is_charged_nothing(harness: Harness, api: Api) -> None:
    shown = await _next(api, await given_a_subscriber(harness))

    assert (shown["state"], shown["none_because"]) == ("none", "no-subscription")


async def test_cancelled_beyond_its_period_it_is_charged_once_more(harness: Harness, api: Api) -> None:
    subscriber, subscription_id, period_end = await _subscribed(harness)

    await _change(harness, subscriber, subscription_id, cancel_at=period_end + 10 * DAY, proration_behavior="none")

    shown = await _next(api, subscriber)
    assert (shown["state"], shown["amount_cents"]) == ("known", 900)


@pytest.mark.parametrize("how", ["cancel_at_period_end", "cancel_at"])
async def test_cancelled_within_its_period_it_is_charged_nothing_and_again_once_that_is_taken_back(
    harness: Harness, api: Api, how: str
) -> None:
    subscriber, subscription_id, period_end = await _subscribed(harness)

    await _change(harness, subscriber, subscription_id, **{how: True if how.endswith("end") else period_end})
    cancelled = await _next(api, subscriber)
    await _change(harness, subscriber, subscription_id, **{how: False if how.endswith("end") else ""})
    taken_back = await _next(api, subscriber)

    assert (cancelled["state"], cancelled["none_because"], cancelled["at"]) == ("none", "ends", None)
    assert (taken_back["state"], taken_back["amount_cents"]) == ("known", 900)


@pytest.mark.parametrize("days", [None, 10, 400])
async def test_while_collection_is_paused_nothing_is_charged(harness: Harness, api: Api, days: int | None) -> None:
    """One that ends before the next period does not matter to it."""
    subscriber, subscription_id, period_end = await _subscribed(harness)
    resumes = period_end + (days - 31) * DAY if days else None

    pause: Json = {"behavior": "void"} | ({"resumes_at": resumes} if resumes else {})
    await _change(harness, subscriber, subscription_id, pause_collection=pause)

    shown = await _next(api, subscriber)
    paused = days != 10
    assert (shown["state"], shown["none_because"]) == (("none", "paused") if paused else ("known", None))
    if days == 400:
        assert _seconds(shown["resumes_at"]) == resumes


async def test_what_is_sent_as_an_invoice_is_said_to_be(harness: Harness, api: Api) -> None:
    subscriber, subscription_id, period_end = await _subscribed(harness)

    await _change(harness, subscriber, subscription_id, collection_method="send_invoice", days_until_due=14)

    shown = await _next(api, subscriber)
    assert (shown["state"], shown["collection_method"], _seconds(shown["at"])) == ("known", "send_invoice", period_end)


async def test_the_amount_is_stripes_with_what_the_customer_has_to_his_credit(harness: Harness, api: Api) -> None:
    subscriber, subscription_id, _ = await _subscribed(harness)
    await harness.client.v1.customers.update_async(subscriber.customer_id, {"balance": -300})

    await _change(harness, subscriber, subscription_id, metadata={"a": "b"}, cancel_at_period_end=True)
    await _change(harness, subscriber, subscription_id, cancel_at_period_end=False)

    assert (await _next(api, subscriber))["amount_cents"] == 600


async def test_until_stripe_has_answered_after_a_change_it_is_unknown(harness: Harness, api: Api) -> None:
    subscriber, subscription_id, _ = await _subscribed(harness)
    await harness.control.fault("error_before", operation="invoices.create_preview", times=None)
    seen = len(await harness.control.events())
    await harness.client.v1.subscriptions.update_async(subscription_id, {"cancel_at_period_end": True})
    await harness.deliver(*await harness.facts(since=seen))
    await harness.run_jobs()

    unheard = await _next(api, subscriber)
    await harness.control.reset_faults()
    await harness.settle_everything()
    heard = await _next(api, subscriber)

    assert (unheard["state"], unheard["at"], unheard["amount_cents"]) == ("unknown", None, None)
    assert (heard["state"], heard["none_because"]) == ("none", "ends")


async def test_what_a_schedule_will_do_is_asked_for_anew(harness: Harness, api: Api) -> None:
    """No event of the subscription says that its price will be another one."""
    subscriber, subscription_id, _ = await _subscribed(harness)
    await harness.client.v1.customers.update_async(subscriber.customer_id, {"balance": -900})
    changed = SubscriptionScheduleChanged(
        stripe_event_id="evt_schedule",
        stripe_event_type="subscription_schedule.updated",
        api_version=None,
        livemode=False,
        occurred_at=datetime.now(UTC),
        object_id="sub_sched_1",
        customer_id=subscriber.customer_id,
        schedule_id="sub_sched_1",
        subscription_id=subscription_id,
        status="active",
    )

    await harness.deliver(changed)
    await harness.settle_everything()

    assert (await _next(api, subscriber))["amount_cents"] == 0


async def test_what_is_owed_is_tried_again_first(harness: Harness, api: Api) -> None:
    subscriber, subscription_id, _ = await _subscribed(harness)
    method = (await harness.control.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await harness.control.change_card(method, "chargeCustomerFail")
    seen = len(await harness.control.events())
    await harness.control.renew(subscription_id)
    await subscriber.hear(since=seen)

    shown = await _next(api, subscriber)

    invoice = (await harness.control.objects(kind="invoice"))["invoice"][-1]
    assert (shown["state"], shown["amount_cents"]) == ("known", 900)
    assert _seconds(shown["at"]) == invoice["next_payment_attempt"]


async def test_what_has_ended_is_charged_no_more(harness: Harness, api: Api) -> None:
    subscriber, subscription_id, _ = await _subscribed(harness)
    seen = len(await harness.control.events())
    await harness.client.v1.subscriptions.cancel_async(subscription_id)
    await subscriber.hear(since=seen)

    shown = await _next(api, subscriber)

    assert (await subscriber.status(), shown["state"], shown["none_because"]) == ("canceled", "none", "ended")
