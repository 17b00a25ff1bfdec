"""Time that is put forward: renewals, retries and how they end, trials, and what was planned for later."""

import time
from typing import Any

import pytest
import stripe

from sandbox.stripe.control import ControlError, StripeControl
from tests.integration.stripe_sandbox.conftest import DAY, EUR_499, Buyer
from tests.integration.stripe_sandbox.offers import given_a_session
from tests.integration.stripe_sandbox.plans import (
    MONTHLY,
    Subscriber,
    given_a_plan,
    given_a_subscriber,
    period_end,
    sent,
)
from tests.integration.stripe_sandbox.test_dunning import new_card


async def test_at_the_periods_end_a_draft_is_made_which_is_charged_an_hour_later(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    before = await subscriber.now()
    customer = subscriber.buyer.customer

    await control.advance(customer=customer, seconds=period_end(before) - await control.now(customer))
    draft = await subscriber.latest_invoice()
    await control.advance(customer=customer, seconds=3_600)
    paid = await subscriber.latest_invoice()

    now = await subscriber.now()
    assert (draft["status"], draft["billing_reason"]) == ("draft", "subscription_cycle")
    assert draft["automatically_finalizes_at"] == period_end(before) + 3_600
    assert (draft["id"], "paid", MONTHLY, "active") == (paid["id"], paid["status"], paid["amount_paid"], now["status"])
    assert (before["created"], period_end(before)) == (paid["period_start"], paid["period_end"])
    assert {"start": period_end(before), "end": period_end(now)} == paid["lines"]["data"][0]["period"]
    assert 28 <= (period_end(now) - period_end(before)) / DAY <= 31


async def test_a_renewals_events_come_in_stripes_order_and_at_their_own_time(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    ends, known = period_end(await subscriber.now()), len(await control.events())

    await control.renew(subscriber.id)

    events = [one for one in (await control.events())[known:] if one["type"].startswith(("customer", "invoice."))]
    assert [
        ("customer.subscription.updated", ends),
        ("invoice.created", ends),
        ("invoice.updated", ends + 3_600),
        ("invoice.finalized", ends + 3_600),
        ("invoice.updated", ends + 3_600),
        ("invoice.paid", ends + 3_600),
        ("invoice.payment_succeeded", ends + 3_600),
    ] == [(event["type"], event["created"]) for event in events]
    assert {"items", "latest_invoice"} == events[0]["data"]["previous_attributes"].keys()


async def test_a_year_of_renewals_keeps_its_day(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)

    await control.advance(customer=subscriber.buyer.customer, seconds=366 * DAY)

    figures = (await control.sums())["customers"][subscriber.buyer.customer]["eur"]
    assert (figures["payments"], figures["captured"]) == (13, 13 * MONTHLY)


async def test_one_customers_time_is_nobody_elses(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber, other = await given_a_subscriber(client, control), await given_a_subscriber(client, control)
    still = await other.now()

    await control.renew(subscriber.id)

    assert await other.now() == still
    assert abs(await control.now() - time.time()) < DAY
    later = await client.v1.invoices.create_async({"customer": subscriber.buyer.customer})
    assert later.created > time.time() + 27 * DAY


async def test_time_can_pass_for_everybody(client: stripe.StripeClient, control: StripeControl) -> None:
    subscribers = [await given_a_subscriber(client, control) for _ in range(2)]

    await control.advance(seconds=32 * DAY)

    invoices = [await one.latest_invoice() for one in subscribers]
    assert [(one["billing_reason"], one["status"]) for one in invoices] == [("subscription_cycle", "paid")] * 2
    with pytest.raises(ControlError, match="never goes back"):
        await control.advance(seconds=-1)


async def test_cancel_at_period_end_is_done_at_its_end(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)
    await subscriber.update({"cancel_at_period_end": True})
    planned = await subscriber.now()

    await control.renew(subscriber.id)

    now = await subscriber.now()
    assert ("canceled", period_end(planned)) == (now["status"], now["ended_at"])
    assert planned["latest_invoice"]["id"] == now["latest_invoice"]["id"]
    assert planned["canceled_at"] == now["canceled_at"]


async def test_a_subscription_that_was_never_paid_expires(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control, card="pm_card_chargeCustomerFail")

    await control.advance(customer=subscriber.buyer.customer, seconds=DAY)

    now = await subscriber.now()
    assert (now["status"], now["latest_invoice"]["status"]) == ("incomplete_expired", "void")


async def test_a_trial_says_that_it_will_end_and_is_then_charged(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control, trial_period_days=14)
    trial = await subscriber.now()

    await control.renew(subscriber.id)

    now = await subscriber.now()
    assert (trial["status"], trial["latest_invoice"]["amount_paid"]) == ("trialing", 0)
    assert (now["status"], now["latest_invoice"]["amount_paid"]) == ("active", MONTHLY)
    (notice,) = await sent(control, "customer.subscription.trial_will_end")
    assert notice["created"] == trial["trial_end"] - 3 * DAY


async def test_a_trial_without_a_card_can_end_paused_and_be_resumed(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    customer, plan = await client.v1.customers.create_async({}), await given_a_plan(client)
    wanted: Any = {
        "customer": customer.id,
        "items": [{"price": plan.monthly}],
        "trial_period_days": 7,
        "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
    }
    made = await client.v1.subscriptions.create_async(wanted)
    subscriber = Subscriber(
        buyer=Buyer(client=client, customer=customer.id, card=""), id=made.id, plan=plan, control=control
    )

    await control.renew(made.id)
    paused = await subscriber.status()
    await new_card(subscriber)
    await client.v1.subscriptions.resume_async(made.id)

    assert (paused, await subscriber.status()) == ("paused", "active")
    assert [event["type"] for event in await sent(control, "customer.subscription")] == [
        "customer.subscription.created",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "customer.subscription.paused",
        "customer.subscription.updated",
        "customer.subscription.resumed",
    ]


async def test_paused_collection_leaves_drafts_or_voids_them(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    statuses = []
    for behaviour in ("keep_as_draft", "void", "mark_uncollectible"):
        await subscriber.update({"pause_collection": {"behavior": behaviour}})
        await control.renew(subscriber.id)
        statuses.append((await subscriber.latest_invoice())["status"])
    await subscriber.update({"pause_collection": ""})

    await control.renew(subscriber.id)

    assert statuses == ["draft", "void", "uncollectible"]
    assert ((await subscriber.latest_invoice())["status"], await subscriber.status()) == ("paid", "active")


async def test_a_pending_item_is_swept_into_the_next_renewal(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    item: Any = {"customer": subscriber.buyer.customer, "amount": EUR_499, "currency": "eur"}
    await client.v1.invoice_items.create_async(item)

    await control.renew(subscriber.id)

    assert (await subscriber.latest_invoice())["amount_paid"] == MONTHLY + EUR_499


async def test_an_open_checkout_session_expires_by_its_customers_clock(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    session = await given_a_session(client)

    await control.advance(customer=str(session.customer), seconds=1_900)

    assert (await client.v1.checkout.sessions.retrieve_async(session.id)).status == "expired"
    (event,) = await sent(control, "checkout.session.expired")
    assert event["created"] == session.expires_at


async def test_a_draft_that_shall_not_advance_stays_one(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)
    customer = subscriber.buyer.customer
    await control.advance(
        customer=customer, seconds=period_end(await subscriber.now()) - await control.now(customer) + 60
    )
    await client.v1.invoices.update_async((await subscriber.latest_invoice())["id"], {"auto_advance": False})

    await control.advance(customer=customer, seconds=DAY)

    assert (await subscriber.latest_invoice())["status"] == "draft"
