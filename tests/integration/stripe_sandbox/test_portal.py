"""The Customer Portal: its configurations, its page by plain forms as in a browser, and the same by the control API."""

from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe.control import ControlError, StripeControl
from tests.integration.stripe_sandbox.plans import (
    MONTHLY,
    YEARLY,
    Plan,
    Subscriber,
    given_a_subscriber,
    period_end,
    sent,
)

BACK = "https://app.example/billing"


async def given_a_configuration(
    client: stripe.StripeClient, plan: Plan, *, cancel: str = "at_period_end"
) -> stripe.billing_portal.Configuration:
    """Everything allowed; switching is billed at once."""
    price = await client.v1.prices.retrieve_async(plan.monthly)
    features: Any = {
        "customer_update": {"enabled": False},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": cancel, "proration_behavior": "none"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": [{"product": price.product, "prices": [plan.monthly, plan.yearly]}],
        },
    }
    return await client.v1.billing_portal.configurations.create_async(
        {"features": features, "metadata": {"quittance_instance": "local"}}
    )


async def given_a_portal(subscriber: Subscriber, *, cancel: str = "at_period_end", **more: Any) -> str:
    """The address of a session for this customer."""
    client = subscriber.buyer.client
    configuration = await given_a_configuration(client, subscriber.plan, cancel=cancel)
    wanted: Any = {
        "customer": subscriber.buyer.customer,
        "configuration": configuration.id,
        "return_url": BACK,
        **more,
    }
    return str((await client.v1.billing_portal.sessions.create_async(wanted)).url)


async def test_a_configuration_shows_its_products_only_when_asked(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    made = await given_a_configuration(client, subscriber.plan)

    plain: Any = (await client.v1.billing_portal.configurations.list_async({"active": True})).data[0]
    asked: Any = await client.v1.billing_portal.configurations.retrieve_async(
        made.id, {"expand": ["features.subscription_update.products"]}
    )

    assert "products" not in plain.to_dict()["features"]["subscription_update"]
    (product,) = asked.to_dict()["features"]["subscription_update"]["products"]
    assert [subscriber.plan.monthly, subscriber.plan.yearly] == product["prices"]


async def test_a_feature_is_replaced_as_a_whole_and_others_stay(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    made = await given_a_configuration(client, subscriber.plan)

    changed: Any = await client.v1.billing_portal.configurations.update_async(
        made.id,
        {"features": {"subscription_cancel": {"enabled": True, "mode": "immediately"}}, "default_return_url": BACK},
    )

    features = changed.to_dict()["features"]
    assert (features["subscription_cancel"]["mode"], features["invoice_history"]["enabled"]) == ("immediately", True)
    assert changed.default_return_url == BACK


async def test_the_page_shows_the_plan_the_card_the_invoices_and_the_way_back(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    url = await given_a_portal(subscriber)

    async with httpx.AsyncClient() as browser:
        page = (await browser.get(url)).text

    assert "Builder" in page
    assert "<b id='status'>active</b>" in page
    assert f'id="switch-{subscriber.plan.yearly}"' in page
    assert "Switch to 89.00 EUR / year" in page
    assert "Cancel plan" in page
    assert "•••• 4242" in page
    assert str((await subscriber.latest_invoice())["number"]) in page
    assert f"<a id='back' href='{BACK}'>" in page


async def test_switching_bills_the_rest_at_once(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)
    url = await given_a_portal(subscriber)

    async with httpx.AsyncClient() as browser:
        answer = await browser.post(f"{url}/switch", data={"price": subscriber.plan.yearly})

    assert (303, url) == (answer.status_code, answer.headers["location"])
    invoice = await subscriber.latest_invoice()
    assert (invoice["billing_reason"], invoice["status"]) == ("subscription_update", "paid")
    assert YEARLY - MONTHLY <= invoice["amount_paid"] <= YEARLY
    assert await subscriber.status() == "active"


async def test_switching_with_a_card_that_is_declined_changes_nothing(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    url, before = await given_a_portal(subscriber), await subscriber.now()
    await control.change_card(subscriber.buyer.card, "chargeCustomerFail")

    async with httpx.AsyncClient() as browser:
        answer = await browser.post(f"{url}/switch", data={"price": subscriber.plan.yearly})

    assert answer.status_code == 402
    assert "declined" in answer.text
    assert await subscriber.now() == before
    with pytest.raises(ControlError, match="402"):
        await control.portal_switch(url, price=subscriber.plan.yearly)


async def test_cancelling_with_the_period_can_be_taken_back(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    url = await given_a_portal(subscriber)

    async with httpx.AsyncClient(follow_redirects=True) as browser:
        planned = await browser.post(f"{url}/cancel", data={"feedback": "too_expensive"})
        cancelled = await subscriber.now()
        kept = await browser.post(f"{url}/resume")

    assert (cancelled["status"], cancelled["cancel_at_period_end"]) == ("active", True)
    assert cancelled["cancel_at"] == period_end(cancelled)
    assert cancelled["cancellation_details"]["feedback"] == "too_expensive"
    assert 'id="resume"' in planned.text
    assert 'id="cancel"' in kept.text
    assert (await subscriber.now())["cancel_at_period_end"] is False


async def test_cancelling_at_once_where_the_configuration_says_so(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)

    ended = await control.portal_cancel(await given_a_portal(subscriber, cancel="immediately"))

    assert ended["status"] == "canceled"
    assert len(await sent(control, "customer.subscription.deleted")) == 1


async def test_a_new_card_pays_what_is_open_and_is_the_default_everywhere(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    await subscriber.update({"default_payment_method": subscriber.buyer.card})
    await control.change_card(subscriber.buyer.card, "chargeCustomerFail")
    await control.renew(subscriber.id)
    url = await given_a_portal(subscriber)
    late = await subscriber.status()

    async with httpx.AsyncClient() as browser:
        await browser.post(f"{url}/card", data={"card": "mastercard"})

    now = await subscriber.now()
    assert (late, now["status"], now["latest_invoice"]["status"]) == ("past_due", "active", "paid")
    customer = await client.v1.customers.retrieve_async(subscriber.buyer.customer)
    assert customer.invoice_settings is not None
    assert now["default_payment_method"] == customer.invoice_settings.default_payment_method != subscriber.buyer.card
    assert {"setup_intent.succeeded", "payment_method.attached", "customer.updated"} <= {
        event["type"] for event in await control.events()
    }


async def test_in_the_portal_the_customer_is_there_for_his_bank(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    subscriber = await given_a_subscriber(client, control)
    await control.change_card(subscriber.buyer.card, "authenticationRequired")
    await control.renew(subscriber.id)
    late, url = await subscriber.status(), await given_a_portal(subscriber)

    await control.portal_update_card(url, card="threeDSecure2Required")
    switched = await control.portal_switch(url, price=subscriber.plan.yearly)

    assert (late, switched["status"]) == ("past_due", "active")
    assert [invoice["status"] for invoice in (await control.objects(kind="invoice"))["invoice"]] == ["paid"] * 3


async def test_a_card_that_cannot_be_saved_changes_nothing(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)
    before = await subscriber.now()

    with pytest.raises(ControlError, match="402"):
        await control.portal_update_card(await given_a_portal(subscriber), card="chargeDeclined")

    assert await subscriber.now() == before


async def test_a_flow_is_for_one_thing_and_leads_back(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)
    flow = {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscriber.id},
        "after_completion": {"type": "redirect", "redirect": {"return_url": f"{BACK}?cancelled=1"}},
    }
    url = await given_a_portal(subscriber, flow_data=flow)

    async with httpx.AsyncClient() as browser:
        page = (await browser.get(url)).text
        done = await browser.post(f"{url}/cancel")

    assert "Cancel plan" in page
    assert "Switch to" not in page
    assert "invoices" not in page
    assert done.headers["location"] == f"{BACK}?cancelled=1"
    assert (await subscriber.now())["cancel_at_period_end"] is True


async def test_what_is_not_allowed_is_refused(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)
    bare = await client.v1.billing_portal.configurations.create_async(
        {"features": {"invoice_history": {"enabled": True}}}
    )
    session = await client.v1.billing_portal.sessions.create_async(
        {"customer": subscriber.buyer.customer, "configuration": bare.id}
    )

    for act in (
        control.portal_cancel(session.url),
        control.portal_update_card(session.url),
        control.portal_switch(session.url, price=subscriber.plan.yearly),
    ):
        with pytest.raises(ControlError, match="400"):
            await act
    with pytest.raises(stripe.InvalidRequestError, match="No configuration provided"):
        await client.v1.billing_portal.sessions.create_async({"customer": subscriber.buyer.customer})


async def test_a_price_of_another_product_is_refused(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control)
    other = await client.v1.products.create_async({"name": "Other"})
    products = [{"product": other.id, "prices": [subscriber.plan.monthly]}]
    update: Any = {"enabled": True, "default_allowed_updates": ["price"], "products": products}

    with pytest.raises(stripe.InvalidRequestError, match="does not belong to the product"):
        await client.v1.billing_portal.configurations.create_async({"features": {"subscription_update": update}})
