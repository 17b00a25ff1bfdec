"""The plan is a function of the subscription, which is as Stripe has it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.stripe_facts import SubscriptionChanged
from contracts.workspace_facts import ExtraSubscriptionEnded
from notifier.letters.letters import LETTERS, mail_key
from purchases.ledger.transitions import Status
from tests.integration.purchases.bundles import PLAN_CENTS, PRICES, given_a_bundle, invoice_of
from tests.integration.purchases.harness import INSTANCE, PAGES, Harness
from tests.integration.purchases.subscribers import MONTHLY, VERSIONS, Subscriber, given_a_subscriber


@pytest.mark.parametrize("version", VERSIONS)
async def test_who_subscribes_has_builder_until_the_subscription_ends(harness: Harness, version: str | None) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()

    await subscriber.hear(version=version)
    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "active")
    (row,) = await subscriber.rows()
    assert (row["interval"], row["currency"], row["is_extra"]) == ("month", "EUR", False)
    assert row["current_period_end"] is not None

    seen = len(await harness.control.events())
    await harness.client.v1.subscriptions.cancel_async(subscription_id)
    await subscriber.hear(since=seen, version=version)
    assert (await subscriber.plan(), await subscriber.status()) == ("free", "canceled")
    changes = [
        (body["previous_plan"], body["plan"]) for kind, body in await subscriber.published() if kind == "plan_changed"
    ]
    assert changes == [("free", "builder"), ("builder", "free")]


async def test_a_failed_renewal_keeps_builder_and_is_published_once_and_a_new_card_heals_it(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await subscriber.hear()
    method = (await harness.control.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await harness.control.change_card(method, "chargeCustomerFail")
    await harness.control.renew(subscription_id)
    await subscriber.hear()

    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "past_due")
    await harness.control.retry(subscription_id)
    await subscriber.hear()
    (failed,) = [body for kind, body in await subscriber.published() if kind == "renewal_failed"]
    assert failed["billing_page_url"] == f"{PAGES}/app/{subscriber.workspace_id}/settings/billing"
    assert (failed["owner_email"], failed["amount_due_cents"], failed["currency"]) == ("olga@acme.example", 900, "EUR")

    await harness.control.change_card(method, "visa")
    await harness.control.retry(subscription_id)
    await subscriber.hear()
    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "active")


async def test_when_stripe_gives_up_the_plan_is_free(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await subscriber.hear()
    method = (await harness.control.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await harness.control.change_card(method, "chargeCustomerFail")
    await harness.control.renew(subscription_id)
    await harness.control.exhaust_retries(subscription_id)

    await subscriber.hear()

    assert (await subscriber.plan(), await subscriber.status()) == ("free", "canceled")


async def test_cancelled_at_the_periods_end_it_is_builder_until_then_and_can_be_resumed(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await harness.client.v1.subscriptions.update_async(subscription_id, {"cancel_at_period_end": True})
    await subscriber.hear()
    (row,) = await subscriber.rows()
    assert (await subscriber.plan(), row["status"], row["cancel_at_period_end"]) == ("builder", "active", True)

    await harness.client.v1.subscriptions.update_async(subscription_id, {"cancel_at_period_end": False})
    await subscriber.hear()
    (row,) = await subscriber.rows()
    assert (await subscriber.plan(), row["cancel_at_period_end"], row["ended_at"]) == ("builder", False, None)


async def test_of_two_subscriptions_one_is_ended_and_paid_back_and_the_team_mailed(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    for _ in range(2):
        await subscriber.subscribe()
    await subscriber.hear()
    await subscriber.hear()

    rows = {row["stripe_subscription_id"]: row for row in await subscriber.rows()}
    ended = {one: row["status"] for one, row in rows.items()}
    assert sorted(ended.values()) == ["active", "canceled"]
    assert {row["is_extra"] for row in rows.values() if row["status"] == "canceled"} == {True}
    assert await subscriber.plan() == "builder"
    (refund,) = await harness.refunds_at_stripe()
    assert (refund["amount"], refund["status"]) == (900, "succeeded")
    (found,) = [body for kind, body in await subscriber.published() if kind == "extra_subscription_ended"]
    assert (found["returned_cents"], found["currency"]) == (900, "EUR")
    assert ended[found["stripe_subscription_id"]] == "canceled"
    assert ended[found["kept_subscription_id"]] == "active"
    assert await harness.parked() == []


async def test_each_money_that_an_ended_subscription_takes_goes_back_and_is_mailed_about(harness: Harness) -> None:
    """Its renewal failed, and is paid on its own page after the subscription was ended for another one."""
    subscriber = await given_a_subscriber(harness)
    extra = await subscriber.subscribe()
    method = (await harness.control.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await harness.control.change_card(method, "chargeCustomerFail")
    await harness.control.renew(extra)
    await harness.control.change_card(method, "visa")
    await subscriber.subscribe()
    await subscriber.hear()
    await subscriber.hear()
    assert [one.returned_cents for one in await _ended_extras(subscriber)] == [MONTHLY]

    (owed,) = [one for one in (await harness.control.objects(kind="invoice"))["invoice"] if one["status"] == "open"]
    await harness.client.v1.invoices.pay_async(owed["id"], {"payment_method": method})
    await subscriber.hear()
    await subscriber.hear()

    first, second = await _ended_extras(subscriber)
    assert (second.stripe_subscription_id, second.returned_cents, second.newly_returned_cents) == (
        extra,
        2 * MONTHLY,
        MONTHLY,
    )
    assert len({mail_key(letter=LETTERS[ExtraSubscriptionEnded], fact=one) for one in (first, second)}) == 2
    assert [refund["amount"] for refund in await harness.refunds_at_stripe()] == [MONTHLY] * 2
    assert await harness.parked() == []


async def _ended_extras(subscriber: Subscriber) -> list[ExtraSubscriptionEnded]:
    published = [body for kind, body in await subscriber.published() if kind == "extra_subscription_ended"]
    return [ExtraSubscriptionEnded.model_validate(body) for body in published]


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_an_extra_subscription_took_is_of_no_addon_that_was_bought_with_it(
    harness: Harness, version: str | None
) -> None:
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await asyncio.sleep(1)  # the older one is kept, and Stripe counts in seconds
    bundle = await given_a_bundle(harness, workspace_id=subscriber.workspace_id)
    for _ in range(2):
        await subscriber.hear(version=version)

    assert [refund["amount"] for refund in await harness.refunds_at_stripe()] == [PLAN_CENTS]
    assert [(await harness.purchase(one.id)).status for one in bundle] == [Status.PAID] * 2
    assert (await harness.rows("select 1 from purchase_refunds"), await harness.parked()) == ([], [])

    rest = sum(PRICES.values())
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=rest)
    await subscriber.hear(version=version)
    rows = [await harness.purchase(one.id) for one in bundle]
    assert [row.status for row in rows] == [Status.REFUNDED] * 2
    assert sum(refund.refund_cents for row in rows for refund in row.refunds) == rest
    assert await harness.parked() == []


async def test_a_whole_month_of_events_delivered_again_changes_nothing(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await harness.control.renew(subscription_id)
    await subscriber.hear()
    before, published = await subscriber.rows(), len(await subscriber.published())
    await harness.execute("truncate inbox")

    await subscriber.hear()

    assert (await subscriber.rows(), len(await subscriber.published())) == (before, published)


@pytest.mark.parametrize("version", VERSIONS)
async def test_while_it_is_paused_the_plan_is_free_and_resuming_restores_it(
    harness: Harness, version: str | None
) -> None:
    subscriber = await given_a_subscriber(harness, card=None)
    trial: dict[str, Any] = {
        "trial_period_days": 7,
        "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
    }
    subscription_id = await subscriber.subscribe(**trial)
    await subscriber.hear(version=version)
    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "trialing")

    await harness.control.renew(subscription_id)
    await subscriber.hear(version=version)
    assert (await subscriber.plan(), await subscriber.status()) == ("free", "paused")

    await harness.give_card(subscriber.customer_id, "pm_card_visa")
    await harness.client.v1.subscriptions.resume_async(subscription_id)
    await subscriber.hear(version=version)
    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "active")


async def test_two_events_of_one_second_are_settled_by_what_stripe_has_now(harness: Harness) -> None:
    """The later one is heard first; nothing in them says which that is."""
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await subscriber.hear()
    seen, api = len(await harness.control.events()), harness.client.v1.subscriptions
    for wanted in (True, False):
        await api.update_async(subscription_id, {"cancel_at_period_end": wanted})
    second = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    planned, resumed = [
        fact.model_copy(update={"occurred_at": second})
        for fact in await harness.facts(since=seen)
        if isinstance(fact, SubscriptionChanged)
    ]

    asked = len(await harness.requests("subscriptions.retrieve"))

    await harness.deliver(resumed, planned)
    await harness.settle_everything()

    (row,) = await subscriber.rows()
    assert row["cancel_at_period_end"] is False
    assert len(await harness.requests("subscriptions.retrieve")) == asked + 1


async def test_what_comes_after_the_end_does_not_bring_it_back(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await harness.client.v1.subscriptions.update_async(subscription_id, {"metadata": {"note": "late"}})
    facts = await harness.facts()
    late = [
        fact.model_copy(update={"occurred_at": datetime.now(UTC) + timedelta(hours=1), "stripe_event_id": f"evt_{n}"})
        for n, fact in enumerate(facts)
    ]
    await harness.client.v1.subscriptions.cancel_async(subscription_id)
    await subscriber.hear()

    await harness.deliver(*late)
    await harness.settle_everything()

    assert (await subscriber.plan(), await subscriber.status()) == ("free", "canceled")


@pytest.mark.parametrize("known", [True, False])
async def test_an_item_of_somebody_else_does_not_stand_for_the_plan(harness: Harness, known: bool) -> None:
    """Of several items the plan's counts, known by its price or, where the price is sold no more, by its lookup key."""
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await subscriber.hear()
    (fact,) = [fact for fact in await harness.facts() if isinstance(fact, SubscriptionChanged)][-1:]
    (ours,) = fact.items
    key = f"quittance:{INSTANCE}:builder:month:eur"
    old = ours if known else ours.model_copy(update={"price_id": "price_of_last_year", "lookup_key": key})
    foreign = ours.model_copy(
        update={"item_id": "si_0", "price_id": "price_of_theirs", "lookup_key": "theirs", "interval": "year"}
    )

    later = {"stripe_event_id": "evt_later", "occurred_at": fact.occurred_at + timedelta(minutes=1)}
    await harness.deliver(fact.model_copy(update={"items": (foreign, old), **later}))

    (row,) = await subscriber.rows()
    assert (row["stripe_subscription_id"], row["interval"], row["stripe_price_id"]) == (
        subscription_id,
        "month",
        old.price_id,
    )
