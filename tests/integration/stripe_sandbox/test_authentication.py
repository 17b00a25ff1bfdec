"""Cards whose bank wants to see the customer (3-D Secure)."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe

from sandbox.stripe.control import StripeControl
from tests.integration.stripe_sandbox.conftest import Buyer, buyer_with, intent_of

RETURN_URL = "https://app.example/billing/addons?purchase=1"


async def given_a_challenge(buyer: Buyer) -> tuple[stripe.Invoice, str]:
    """An invoice whose payment waits for the customer, and the address of the bank's page."""
    invoice = await buyer.open_invoice()
    await buyer.declined(invoice)
    intent = await buyer.api.payment_intents.confirm_async(intent_of(invoice), {"return_url": RETURN_URL})
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    return invoice, str(intent.next_action.redirect_to_url.url)


@pytest.fixture(params=["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"])
async def careful_buyer(client: stripe.StripeClient, request: pytest.FixtureRequest) -> Buyer:
    """Somebody whose bank always asks."""
    return await buyer_with(str(request.param), client=client)


async def test_an_off_session_payment_says_that_it_needs_the_customer(careful_buyer: Buyer) -> None:
    invoice = await careful_buyer.open_invoice()

    refusal = await careful_buyer.declined(invoice)

    intent = await careful_buyer.api.payment_intents.retrieve_async(intent_of(invoice))
    assert (refusal.http_status, refusal.code) == (402, "invoice_payment_intent_requires_action")
    assert intent.status == "requires_action"
    assert (await careful_buyer.api.invoices.retrieve_async(invoice.id)).status == "open"


async def test_stripe_may_also_say_authentication_required(careful_buyer: Buyer, control: StripeControl) -> None:
    await control.settings(invoice_authentication="requires_payment_method")
    invoice = await careful_buyer.open_invoice()

    refusal = await careful_buyer.declined(invoice)

    intent = await careful_buyer.api.payment_intents.retrieve_async(intent_of(invoice))
    assert refusal.code == "authentication_required"
    assert intent.last_payment_error is not None
    assert (
        intent.status,
        intent.last_payment_error.code,
    ) == ("requires_payment_method", "authentication_required")


async def test_an_intent_of_its_own_is_declined_off_session(careful_buyer: Buyer) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await careful_buyer.api.payment_intents.create_async(
            {
                "amount": 1000,
                "currency": "eur",
                "customer": careful_buyer.customer,
                "payment_method": careful_buyer.card,
                "confirm": True,
                "off_session": True,
            }
        )

    assert refused.value.code == "authentication_required"


async def test_authorising_at_the_bank_pays_and_brings_the_buyer_back(careful_buyer: Buyer) -> None:
    invoice, bank = await given_a_challenge(careful_buyer)

    async with httpx.AsyncClient() as browser:
        page = await browser.get(bank)
        answer = await browser.post(f"{bank}/authorise")

    back = urlsplit(answer.headers["location"])
    query = parse_qs(back.query)
    assert "Authorise" in page.text
    assert "Fail" in page.text
    assert (back.netloc, back.path) == ("app.example", "/billing/addons")
    assert (["1"], [intent_of(invoice)], ["succeeded"]) == (
        query["purchase"],
        query["payment_intent"],
        query["redirect_status"],
    )
    assert (await careful_buyer.api.invoices.retrieve_async(invoice.id)).status == "paid"


async def test_failing_at_the_bank_leaves_the_invoice_open(careful_buyer: Buyer) -> None:
    invoice, bank = await given_a_challenge(careful_buyer)

    async with httpx.AsyncClient() as browser:
        answer = await browser.post(f"{bank}/fail")

    intent = await careful_buyer.api.payment_intents.retrieve_async(intent_of(invoice))
    assert parse_qs(urlsplit(answer.headers["location"]).query)["redirect_status"] == ["failed"]
    assert intent.last_payment_error is not None
    assert (
        intent.status,
        intent.last_payment_error.code,
    ) == ("requires_payment_method", "payment_intent_authentication_failure")
    assert (await careful_buyer.api.invoices.retrieve_async(invoice.id)).status == "open"


async def test_the_bank_can_be_answered_without_a_browser(careful_buyer: Buyer, control: StripeControl) -> None:
    invoice, _ = await given_a_challenge(careful_buyer)

    await control.authenticate(intent_of(invoice))

    assert (await careful_buyer.api.invoices.retrieve_async(invoice.id)).status == "paid"


async def test_after_the_void_the_bank_has_nothing_to_ask(careful_buyer: Buyer) -> None:
    invoice, bank = await given_a_challenge(careful_buyer)
    await careful_buyer.api.invoices.void_invoice_async(invoice.id)

    async with httpx.AsyncClient() as browser:
        page = await browser.get(bank)
        await browser.post(f"{bank}/authorise")

    assert "Authorise" not in page.text
    assert (await careful_buyer.api.charges.list_async({"customer": careful_buyer.customer})).data == []


async def test_an_authenticated_card_may_still_be_declined(client: stripe.StripeClient, control: StripeControl) -> None:
    buyer = await buyer_with("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", client=client)
    invoice, _ = await given_a_challenge(buyer)

    await control.authenticate(intent_of(invoice))

    intent = await buyer.api.payment_intents.retrieve_async(intent_of(invoice))
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.decline_code == "insufficient_funds"


async def test_the_hosted_invoice_can_be_paid_through_the_bank(careful_buyer: Buyer) -> None:
    invoice = await careful_buyer.open_invoice()

    async with httpx.AsyncClient(follow_redirects=True) as browser:
        bank = await browser.post(f"{invoice.hosted_invoice_url}/pay")
        done = await browser.post(f"{bank.url}/authorise")

    assert "<b id='status'>paid</b>" in done.text
