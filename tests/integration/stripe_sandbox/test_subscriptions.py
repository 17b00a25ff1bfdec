"""Subscriptions through the real client: begun, billed, changed, cancelled; in Stripe's words, in both eras."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.control import StripeControl
from tests.integration.stripe_sandbox.conftest import buyer_with, client_at
from tests.integration.stripe_sandbox.plans import (
    METADATA,
    MONTHLY,
    YEARLY,
    given_a_plan,
    given_a_subscriber,
    period_end,
    sent,
)

LEGACY = "2024-06-20"


async def test_a_new_subscription_is_charged_at_once_and_active(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)

    now = await subscriber.now()

    invoice = now["latest_invoice"]
    assert (now["status"], invoice["status"], invoice["billing_reason"]) == ("active", "paid", "subscription_create")
    assert invoice["amount_paid"] == MONTHLY
    (line,) = invoice["lines"]["data"]
    assert line["parent"]["type"] == "subscription_item_details"
    assert line["parent"]["subscription_item_details"]["subscription"] == subscriber.id
    assert line["pricing"]["price_details"]["price"] == subscriber.plan.monthly
    assert METADATA == line["metadata"] == invoice["parent"]["subscription_details"]["metadata"]
    assert line["period"] == {"start": now["created"], "end": period_end(now)}
    assert (await control.sums())["customers"][subscriber.buyer.customer]["eur"]["captured"] == MONTHLY


async def test_its_events_come_in_stripes_order_and_say_what_changed(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    await given_a_subscriber(client, control)

    events = await sent(control, "customer.subscription", "invoice.")

    assert [event["type"] for event in events] == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.updated",
        "invoice.finalized",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]
    assert events[0]["data"]["object"]["status"] == "incomplete"
    assert events[-1]["data"]["previous_attributes"] == {"status": "incomplete"}


async def test_an_older_client_finds_the_period_and_the_subscription_where_they_were(
    client: stripe.StripeClient, control: StripeControl, stripe_url: str, http: stripe.HTTPXClient
) -> None:
    subscriber = await given_a_subscriber(client, control)
    old = client_at(stripe_url, http=http, version=LEGACY)

    found: Any = await old.v1.subscriptions.retrieve_async(subscriber.id, {"expand": ["latest_invoice"]})

    now = found.to_dict()
    assert now["current_period_end"] == period_end(await subscriber.now())
    assert "current_period_end" not in now["items"]["data"][0]
    assert now["items"]["data"][0]["plan"]["id"] == subscriber.plan.monthly
    invoice = now["latest_invoice"]
    assert (subscriber.id, METADATA) == (invoice["subscription"], invoice["subscription_details"]["metadata"])
    (line,) = invoice["lines"]["data"]
    assert ("subscription", subscriber.id) == (line["type"], line["subscription"])
    assert line["price"]["id"] == line["plan"]["id"] == subscriber.plan.monthly


async def test_a_declined_first_payment_leaves_it_incomplete_until_it_is_paid(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control, card="pm_card_chargeCustomerFail")
    declined = await subscriber.now()

    good = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": subscriber.buyer.customer})
    await client.v1.invoices.pay_async(declined["latest_invoice"]["id"], {"payment_method": good.id})

    assert (declined["status"], declined["latest_invoice"]["status"]) == ("incomplete", "open")
    assert declined["latest_invoice"]["next_payment_attempt"] is None
    assert await subscriber.status() == "active"


async def test_the_subscriptions_own_card_is_charged_before_the_customers(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    buyer, plan = await buyer_with("pm_card_chargeCustomerFail", client=client), await given_a_plan(client)
    good = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": buyer.customer})

    made = await client.v1.subscriptions.create_async(
        {"customer": buyer.customer, "items": [{"price": plan.monthly}], "default_payment_method": good.id}
    )

    assert made.status == "active"


async def test_another_interval_begins_a_new_period_and_is_billed_at_once_less_what_was_not_used(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    before = await subscriber.now()

    await subscriber.switch(subscriber.plan.yearly)

    now = await subscriber.now()
    invoice = now["latest_invoice"]
    assert (invoice["billing_reason"], invoice["status"]) == ("subscription_update", "paid")
    credit, yearly = invoice["lines"]["data"]
    assert credit["parent"]["subscription_item_details"]["proration"] is True
    assert -MONTHLY <= credit["amount"] < -MONTHLY * 0.99
    assert (YEARLY, subscriber.plan.yearly) == (yearly["amount"], yearly["pricing"]["price_details"]["price"])
    assert invoice["amount_paid"] == YEARLY + credit["amount"]
    assert period_end(now) - period_end(before) > 300 * 24 * 3600
    changed = (await sent(control, "customer.subscription.updated"))[-1]["data"]["previous_attributes"]
    assert {"items", "latest_invoice"} <= changed.keys()


async def test_a_switch_down_leaves_a_credit_with_the_customer(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    await subscriber.switch(subscriber.plan.yearly)

    await subscriber.switch(subscriber.plan.monthly)

    invoice = await subscriber.latest_invoice()
    assert (invoice["status"], invoice["amount_due"], invoice["amount_paid"]) == ("paid", 0, 0)
    customer = await client.v1.customers.retrieve_async(subscriber.buyer.customer)
    assert customer.balance == invoice["total"] < 0


async def test_a_switch_that_cannot_be_paid_leaves_it_past_due(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    await control.change_card(subscriber.buyer.card, "chargeCustomerFail")

    switched = await subscriber.switch(subscriber.plan.yearly)

    assert switched.status == "past_due"
    assert (await subscriber.latest_invoice())["next_payment_attempt"] is not None


async def test_cancel_at_period_end_can_be_taken_back(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)

    await subscriber.update({"cancel_at_period_end": True})
    planned = await subscriber.now()
    await subscriber.update({"cancel_at_period_end": False})
    kept = await subscriber.now()

    assert (True, period_end(planned)) == (planned["cancel_at_period_end"], planned["cancel_at"])
    assert planned["status"] == "active"
    assert (kept["cancel_at_period_end"], kept["cancel_at"], kept["canceled_at"]) == (False, None, None)


async def test_cancelled_at_once_it_is_gone_for_good(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)

    ended = await client.v1.subscriptions.cancel_async(
        subscriber.id, {"cancellation_details": {"comment": "Too few projects", "feedback": "missing_features"}}
    )

    assert ended.status == "canceled"
    assert ended.ended_at is not None
    assert ended.cancellation_details is not None
    assert (
        ended.cancellation_details.reason,
        ended.cancellation_details.feedback,
    ) == ("cancellation_requested", "missing_features")
    assert len(await sent(control, "customer.subscription.deleted")) == 1
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        await client.v1.subscriptions.cancel_async(subscriber.id)
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription can only update"):
        await subscriber.update({"cancel_at_period_end": True})


async def test_lists_leave_out_what_is_canceled_unless_asked(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    customer = subscriber.buyer.customer
    other: Any = {"customer": customer, "items": [{"price": subscriber.plan.yearly}]}
    second = await client.v1.subscriptions.create_async(other)
    await client.v1.subscriptions.cancel_async(subscriber.id)

    usual = await client.v1.subscriptions.list_async({"customer": customer})
    everything = await client.v1.subscriptions.list_async({"customer": customer, "status": "all"})
    by_price = await client.v1.subscriptions.list_async({"price": subscriber.plan.monthly, "status": "canceled"})
    invoices = await client.v1.invoices.list_async({"subscription": second.id})

    assert [second.id] == [one.id for one in usual.data]
    assert [second.id, subscriber.id] == [one.id for one in everything.data]
    assert [subscriber.id] == [one.id for one in by_price.data]
    assert [second.latest_invoice] == [one.id for one in invoices.data]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"items": []}, "items"),
        ({"customer": "cus_nope"}, "No such customer"),
        ({"default_payment_method": "pm_nope"}, "does not have a payment method"),
        ({"items": [{"price": "price_nope"}]}, "No such price"),
    ],
)
async def test_what_stripe_refuses_is_refused(
    client: stripe.StripeClient, control: StripeControl, wrong: Any, complaint: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=complaint):
        await given_a_subscriber(client, control, **wrong)


async def test_a_price_that_is_paid_once_cannot_be_subscribed_to(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    once = await client.v1.prices.create_async(
        {"product_data": {"name": "Setup"}, "currency": "eur", "unit_amount": 49_900}
    )

    with pytest.raises(stripe.InvalidRequestError, match="type=recurring"):
        await given_a_subscriber(client, control, items=[{"price": once.id}])


async def test_without_a_card_nothing_begins(client: stripe.StripeClient, control: StripeControl) -> None:
    customer, plan = await client.v1.customers.create_async({}), await given_a_plan(client)

    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        await client.v1.subscriptions.create_async({"customer": customer.id, "items": [{"price": plan.monthly}]})

    assert await sent(control, "customer.subscription") == []


async def test_a_deleted_customer_has_no_subscription_any_more(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)

    await client.v1.customers.delete_async(subscriber.buyer.customer)

    events = await sent(control, "customer.subscription.deleted", "customer.deleted")
    assert [event["type"] for event in events] == ["customer.subscription.deleted", "customer.deleted"]
    assert await subscriber.status() == "canceled"


async def test_a_detached_card_is_nobodys_default(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)
    await subscriber.update({"default_payment_method": subscriber.buyer.card})

    await client.v1.payment_methods.detach_async(subscriber.buyer.card)

    assert (await subscriber.now())["default_payment_method"] is None


async def test_a_planned_end_moves_with_the_period(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)
    await subscriber.update({"cancel_at_period_end": True})

    await subscriber.switch(subscriber.plan.yearly)

    now = await subscriber.now()
    assert (True, period_end(now)) == (now["cancel_at_period_end"], now["cancel_at"])
