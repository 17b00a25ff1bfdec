"""A renewal that fails: its retries, the card that heals it, and what becomes of the subscription without one."""

import pytest
import stripe

from sandbox.stripe.control import ControlError, StripeControl
from tests.integration.stripe_sandbox.conftest import DAY, Receiver
from tests.integration.stripe_sandbox.plans import (
    Subscriber,
    given_a_subscriber,
    sent,
)


async def given_a_failed_renewal(client: stripe.StripeClient, control: StripeControl) -> Subscriber:
    """The card stopped working within the first period."""
    subscriber = await given_a_subscriber(client, control)
    await control.change_card(subscriber.buyer.card, "chargeCustomerFail")
    await control.renew(subscriber.id)
    return subscriber


async def new_card(subscriber: Subscriber) -> None:
    """A good card becomes the customer's default."""
    api, customer = subscriber.buyer.api, subscriber.buyer.customer
    good = await api.payment_methods.attach_async("pm_card_mastercard", {"customer": customer})
    await api.customers.update_async(customer, {"invoice_settings": {"default_payment_method": good.id}})


async def test_a_failed_renewal_is_past_due_and_is_tried_again(
    client: stripe.StripeClient, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["invoice.payment_failed"])
    subscriber = await given_a_failed_renewal(client, control)

    now = await subscriber.now()
    invoice = now["latest_invoice"]
    assert (now["status"], invoice["status"], invoice["attempt_count"]) == ("past_due", "open", 1)
    (failed,) = await sent(control, "invoice.payment_failed")
    assert invoice["next_payment_attempt"] == failed["created"] + 3 * DAY
    await control.retry(subscriber.id)
    again = await subscriber.latest_invoice()
    assert (2, invoice["id"]) == (again["attempt_count"], again["id"])
    assert await control.quiet()
    assert [invoice["id"]] * 2 == [event["data"]["object"]["id"] for event in receiver.events]


async def test_a_new_card_pays_at_the_next_retry(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_failed_renewal(client, control)
    await new_card(subscriber)

    await control.retry(subscriber.id)

    now = await subscriber.now()
    assert (
        now["status"],
        now["latest_invoice"]["status"],
        now["latest_invoice"]["next_payment_attempt"],
    ) == ("active", "paid", None)
    last = (await sent(control, "customer.subscription.updated"))[-1]
    assert last["data"]["previous_attributes"] == {"status": "past_due"}


async def test_paying_the_invoice_by_hand_makes_it_active_too(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_failed_renewal(client, control)
    await new_card(subscriber)

    await client.v1.invoices.pay_async((await subscriber.latest_invoice())["id"])

    assert await subscriber.status() == "active"
    with pytest.raises(ControlError, match="to be tried again"):
        await control.retry(subscriber.id)


async def test_when_no_retry_helps_the_subscription_ends(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_failed_renewal(client, control)

    ended = await control.exhaust_retries(subscriber.id)

    invoice = await subscriber.latest_invoice()
    assert (ended["status"], ended["cancellation_details"]["reason"]) == ("canceled", "payment_failed")
    assert (invoice["status"], invoice["attempt_count"], invoice["next_payment_attempt"]) == ("open", 4, None)
    (deleted,) = await sent(control, "customer.subscription.deleted")
    assert deleted["data"]["object"]["status"] == "canceled"


@pytest.mark.parametrize("end", ["unpaid", "past_due"])
async def test_or_stays_as_the_settings_say(client: stripe.StripeClient, control: StripeControl, end: str) -> None:
    await control.settings(dunning_end=end, dunning_schedule=[DAY])
    subscriber = await given_a_failed_renewal(client, control)

    left = await control.exhaust_retries(subscriber.id)

    assert left["status"] == end
    assert await sent(control, "customer.subscription.deleted") == []


async def test_an_unpaid_subscription_gets_drafts_only_until_one_is_paid(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    await control.settings(dunning_end="unpaid", dunning_schedule=[])
    subscriber = await given_a_failed_renewal(client, control)
    await new_card(subscriber)

    await control.renew(subscriber.id)
    draft = await subscriber.latest_invoice()
    await client.v1.invoices.pay_async(draft["id"])

    assert (draft["status"], draft["automatically_finalizes_at"]) == ("draft", None)
    assert await subscriber.status() == "active"


async def test_a_renewal_that_needs_the_customer_is_past_due_until_he_said_yes(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    await control.change_card(subscriber.buyer.card, "authenticationRequired")

    await control.renew(subscriber.id)
    waiting = await subscriber.status()
    (event,) = await sent(control, "invoice.payment_action_required")
    payments = await client.v1.invoice_payments.list_async({"invoice": event["data"]["object"]["id"]})
    await control.authenticate(str(payments.data[0].payment.payment_intent))

    assert (waiting, await subscriber.status()) == ("past_due", "active")
