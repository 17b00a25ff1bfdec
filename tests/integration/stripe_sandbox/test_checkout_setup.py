"""Saving a card on Checkout's page: by plain forms, as a browser would, and by the control API."""

import time
from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe.control import ControlError, StripeControl
from tests.integration.stripe_sandbox.conftest import Buyer, Receiver, buyer_with
from tests.integration.stripe_sandbox.offers import CANCEL, SUCCESS


async def given_a_session(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    """A session that saves a card for a customer without one."""
    customer = await client.v1.customers.create_async({"email": "olga@example.com", "name": "Olga"})
    wanted: Any = {
        "mode": "setup",
        "customer": customer.id,
        "currency": "eur",
        "allowed_payment_method_types": ["card"],
        "success_url": SUCCESS,
        "cancel_url": CANCEL,
        "client_reference_id": "ws_1",
        "metadata": {"workspace_id": "ws_1"},
        **more,
    }
    return await client.v1.checkout.sessions.create_async(wanted)


async def cards_of(client: stripe.StripeClient, customer: object) -> list[str]:
    """The saved cards' last digits."""
    listed = await client.v1.payment_methods.list_async({"customer": str(customer)})
    return [str(one.card and one.card.last4) for one in listed.data]


async def press_save(session: stripe.checkout.Session, *, card: str) -> httpx.Response:
    """What the page's form sends."""
    async with httpx.AsyncClient() as browser:
        return await browser.post(f"{session.url}/save", data={"card": card})


async def test_a_new_session_is_open_for_a_day_and_has_a_setup_intent(client: stripe.StripeClient) -> None:
    session = await given_a_session(client)

    assert (session.mode, session.status, session.payment_status) == ("setup", "open", "no_payment_required")
    assert session.expires_at - session.created == 24 * 3600
    intent = await client.v1.setup_intents.retrieve_async(str(session.setup_intent))
    assert ("requires_payment_method", session.customer) == (intent.status, intent.customer)


async def test_the_page_offers_the_test_cards_and_both_buttons(client: stripe.StripeClient) -> None:
    session = await given_a_session(client)

    async with httpx.AsyncClient() as browser:
        page = (await browser.get(str(session.url))).text

    assert 'type="radio" name="card" id="card-visa" value="visa" checked' in page
    assert 'id="card-threeDSecure2Required"' in page
    assert 'id="save"' in page
    assert 'id="cancel"' in page


async def test_saving_attaches_the_card_and_brings_the_buyer_back(
    client: stripe.StripeClient, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url)
    session = await given_a_session(client)

    answer = await press_save(session, card="mastercard")

    assert (303, SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id)) == (
        answer.status_code,
        answer.headers["location"],
    )
    done = await client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["setup_intent.payment_method"]})
    assert (done.status, done.url) == ("complete", None)
    assert isinstance(done.setup_intent, stripe.SetupIntent)
    assert isinstance(done.setup_intent.payment_method, stripe.PaymentMethod)
    assert ("succeeded", session.customer) == (done.setup_intent.status, done.setup_intent.payment_method.customer)
    assert await cards_of(client, session.customer) == ["4444"]
    assert await control.quiet()
    assert {
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
    } <= set(receiver.types())
    sent = receiver.only("checkout.session.completed")
    assert (
        sent["status"],
        sent["client_reference_id"],
        sent["customer_details"]["email"],
    ) == ("complete", "ws_1", "olga@example.com")


async def test_a_saved_card_does_not_become_the_default_by_itself(client: stripe.StripeClient) -> None:
    session = await given_a_session(client)

    await press_save(session, card="visa")

    customer = await client.v1.customers.retrieve_async(str(session.customer))
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method is None


async def test_cancel_leads_back_and_leaves_the_session_open(client: stripe.StripeClient) -> None:
    session = await given_a_session(client)

    async with httpx.AsyncClient() as browser:
        answer = await browser.post(f"{session.url}/cancel")

    assert answer.headers["location"] == CANCEL
    assert (await client.v1.checkout.sessions.retrieve_async(session.id)).status == "open"


async def test_a_refused_card_leaves_the_page_open_with_the_reason(client: stripe.StripeClient) -> None:
    session = await given_a_session(client)

    answer = await press_save(session, card="chargeDeclinedExpiredCard")
    async with httpx.AsyncClient() as browser:
        page = await browser.get(answer.headers["location"])
    again = await press_save(session, card="visa")

    assert "Your card has expired." in page.text
    assert again.headers["location"].startswith("https://app.example/billing")
    assert await cards_of(client, session.customer) == ["4242"]


async def test_a_bank_may_ask_before_the_card_is_saved(client: stripe.StripeClient) -> None:
    session = await given_a_session(client)

    async with httpx.AsyncClient(follow_redirects=True) as browser:
        bank = await browser.post(f"{session.url}/save", data={"card": "threeDSecure2Required"})
        failed = await browser.post(f"{bank.url}/fail")
        await browser.post(f"{session.url}/save", data={"card": "threeDSecure2Required"})
        browser.follow_redirects = False
        saved = await browser.post(f"{session.url}/bank/authorise")

    assert "Authorise" in bank.text
    assert "authentication failed" in failed.text
    assert saved.headers["location"].startswith("https://app.example/billing")
    assert await cards_of(client, session.customer) == ["3220"]


async def test_a_card_that_was_set_up_needs_no_bank_later(client: stripe.StripeClient, control: StripeControl) -> None:
    session = await given_a_session(client)
    await control.complete_session(session.id, card="authenticationRequiredOnSetup")
    (method,) = (await client.v1.payment_methods.list_async({"customer": str(session.customer)})).data
    buyer = Buyer(client=client, customer=str(session.customer), card=method.id)

    assert (await buyer.paid_invoice()).status == "paid"


async def test_the_control_api_saves_a_card_and_says_no_like_its_bank(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    session = await given_a_session(client)

    with pytest.raises(ControlError, match="402"):
        await control.complete_session(session.id, card="chargeDeclined")
    done = await control.complete_session(session.id, card="authenticationRequired")

    assert done["status"] == "complete"
    assert await cards_of(client, session.customer) == ["3184"]


async def test_an_expired_session_saves_nothing(
    client: stripe.StripeClient, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["checkout.session.*", "setup_intent.canceled"])
    session = await given_a_session(client)

    expired = await client.v1.checkout.sessions.expire_async(session.id)
    page = await press_save(session, card="visa")

    assert (expired.status, expired.url) == ("expired", None)
    assert page.headers["location"].endswith(session.id)
    assert await cards_of(client, session.customer) == []
    assert await control.quiet()
    assert sorted(receiver.types()) == ["checkout.session.expired", "setup_intent.canceled"]
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        await client.v1.checkout.sessions.expire_async(session.id)


async def test_a_complete_session_cannot_be_expired(client: stripe.StripeClient, control: StripeControl) -> None:
    session = await given_a_session(client)
    await control.complete_session(session.id)

    with pytest.raises(stripe.InvalidRequestError, match="`complete`"):
        await client.v1.checkout.sessions.expire_async(session.id)
    with pytest.raises(ControlError):
        await control.expire_session(session.id)


async def test_sessions_are_listed_by_customer_and_status(client: stripe.StripeClient) -> None:
    first = await given_a_session(client)
    await given_a_session(client)
    await client.v1.checkout.sessions.expire_async(first.id)

    by_customer = await client.v1.checkout.sessions.list_async({"customer": str(first.customer)})
    still_open = await client.v1.checkout.sessions.list_async({"customer": str(first.customer), "status": "open"})

    assert ([first.id], []) == ([one.id for one in by_customer.data], still_open.data)


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"mode": "barter"}, "mode"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"success_url": "app.example"}, "success_url"),
        ({"customer": "cus_nope"}, "customer"),
        ({"expires_at": int(time.time()) + 60}, "expires_at"),
        ({"expires_at": int(time.time()) + 90_000}, "expires_at"),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]"),
    ],
)
async def test_what_stripe_refuses_is_refused(client: stripe.StripeClient, wrong: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await given_a_session(client, **wrong)

    assert refused.value.param == param


async def test_a_currency_is_wanted_where_no_method_type_is_named(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.checkout.sessions.create_async({"mode": "setup", "success_url": SUCCESS})

    assert refused.value.param == "currency"


async def test_a_buyer_with_a_card_can_add_another_one(client: stripe.StripeClient, control: StripeControl) -> None:
    buyer = await buyer_with("pm_card_visa", client=client)
    session = await given_a_session(client, customer=buyer.customer)

    await control.complete_session(session.id, card="mastercard")

    assert await cards_of(client, buyer.customer) == ["4444", "4242"]
