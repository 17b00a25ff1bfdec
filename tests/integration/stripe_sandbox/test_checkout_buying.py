"""Checkout that sells: a plan with what is bought once, by plain forms as in a browser, and by the control API."""

from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe.control import ControlError, StripeControl
from tests.integration.stripe_sandbox.conftest import EUR_499, Receiver, client_at
from tests.integration.stripe_sandbox.offers import CANCEL, SUCCESS, given_a_session, given_an_offer
from tests.integration.stripe_sandbox.plans import METADATA, MONTHLY, given_a_plan, sent

LEGACY = "2024-06-20"
MEANWHILE = ("subscription", "invoice", "invoice_payment", "checkout.session")


async def press_pay(session: stripe.checkout.Session, *, card: str) -> httpx.Response:
    """What the page's form sends."""
    async with httpx.AsyncClient() as browser:
        return await browser.post(f"{session.url}/pay", data={"card": card})


async def test_before_it_completes_nothing_exists(client: stripe.StripeClient, control: StripeControl) -> None:
    session = await given_a_session(client)

    objects = await control.objects()

    assert (
        session.status,
        session.payment_status,
        session.subscription,
        session.invoice,
    ) == ("open", "unpaid", None, None)
    assert session.amount_total == MONTHLY + EUR_499 + 10_000
    assert [objects[kind] for kind in ("subscription", "invoice", "payment_intent")] == [[], [], []]


async def test_paying_makes_a_subscription_with_one_invoice_for_everything(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    session = await given_a_session(client)

    answer = await press_pay(session, card="visa")

    assert (303, SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id)) == (
        answer.status_code,
        answer.headers["location"],
    )
    done: Any = await client.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["subscription", "invoice", "line_items"]}
    )
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert (done.subscription.status, done.subscription.to_dict()["metadata"]) == ("active", METADATA)
    assert (done.invoice.status, done.invoice.amount_paid) == ("paid", MONTHLY + EUR_499 + 10_000)
    lines = done.invoice.to_dict()["lines"]["data"]
    sold = [item["price"]["id"] for item in done.to_dict()["line_items"]["data"]]
    assert sorted(sold) == sorted(line["pricing"]["price_details"]["price"] for line in lines)
    by_price = {line["pricing"]["price_details"]["price"]: line for line in lines}
    plan, setup, audit = (by_price[price] for price in sold)
    assert (plan["metadata"], setup["metadata"], audit["metadata"]) == (METADATA, {}, {})
    assert setup["parent"]["invoice_item_details"]["subscription"] == done.subscription.id
    product = await client.v1.products.retrieve_async(audit["pricing"]["price_details"]["product"])
    assert product.to_dict()["metadata"] == {"slug": "audit"}
    sums = await control.sums()
    assert sums["customers"][str(session.customer)]["eur"]["captured"] == MONTHLY + EUR_499 + 10_000
    assert {str(session.customer): {"eur": {"captured": MONTHLY, "refunded": 0}}} == sums["plans"]


async def test_the_card_is_saved_on_the_subscription_and_is_not_the_customers_default(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    session = await given_a_session(client)

    done = await control.complete_session(session.id, card="mastercard")

    subscription = await client.v1.subscriptions.retrieve_async(
        done["subscription"], {"expand": ["default_payment_method"]}
    )
    assert isinstance(subscription.default_payment_method, stripe.PaymentMethod)
    assert subscription.default_payment_method.customer == session.customer
    customer = await client.v1.customers.retrieve_async(str(session.customer))
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method is None


async def test_the_page_shows_what_is_sold_and_brings_the_buyer_back(client: stripe.StripeClient) -> None:
    session = await given_a_session(client)

    async with httpx.AsyncClient() as browser:
        page = (await browser.get(str(session.url))).text
        cancelled = await browser.post(f"{session.url}/cancel")

    assert "1 × Builder" in page
    assert "9.00 EUR / month" in page
    assert "<td id='total'>608.00 EUR</td>" in page
    assert 'id="pay"' in page
    assert cancelled.headers["location"] == CANCEL
    assert (await client.v1.checkout.sessions.retrieve_async(session.id)).status == "open"


async def test_a_declined_card_leaves_the_session_open(client: stripe.StripeClient, control: StripeControl) -> None:
    session = await given_a_session(client)

    answer = await press_pay(session, card="chargeDeclinedInsufficientFunds")
    async with httpx.AsyncClient() as browser:
        page = await browser.get(answer.headers["location"])

    assert "insufficient funds" in page.text
    assert await sent(control, *MEANWHILE) == []
    with pytest.raises(ControlError, match="402"):
        await control.complete_session(session.id, card="chargeDeclined")
    assert (await control.complete_session(session.id, card="visa"))["status"] == "complete"
    assert (await control.sums())["customers"][session.customer]["eur"]["payments"] == 1


async def test_a_bank_may_ask_before_it_pays(client: stripe.StripeClient, control: StripeControl) -> None:
    session = await given_a_session(client)

    async with httpx.AsyncClient(follow_redirects=True) as browser:
        bank = await browser.post(f"{session.url}/pay", data={"card": "threeDSecure2Required"})
        failed = await browser.post(f"{bank.url}/fail")
        await browser.post(f"{session.url}/pay", data={"card": "threeDSecure2Required"})
        browser.follow_redirects = False
        paid = await browser.post(f"{session.url}/bank/authorise")

    assert "Authorise" in bank.text
    assert "failed authentication" in failed.text
    assert paid.headers["location"].startswith("https://app.example/billing")
    assert len((await control.objects(kind="subscription"))["subscription"]) == 1


async def test_webhooks_come_in_the_order_that_a_test_wants(
    client: stripe.StripeClient, control: StripeControl, receiver: Receiver
) -> None:
    wanted = ["checkout.session.completed", "invoice.paid", "customer.subscription.updated"]
    await control.register_endpoint(receiver.url, enabled_events=[*wanted, "customer.subscription.created"])
    await control.reorder_webhooks(order=wanted)
    session = await given_a_session(client)

    await control.complete_session(session.id)
    assert await control.quiet()

    assert [*wanted, "customer.subscription.created"] == receiver.types()


async def test_its_own_order_is_sent_to_both_eras(
    client: stripe.StripeClient, control: StripeControl, stripe_url: str, http: stripe.HTTPXClient
) -> None:
    session = await given_a_session(client)
    done = await control.complete_session(session.id)
    old = client_at(stripe_url, http=http, version=LEGACY)

    events = await sent(control, "customer.subscription", "invoice.paid", "checkout")
    invoice = (await old.v1.invoices.retrieve_async(done["invoice"])).to_dict()
    charge = (await old.v1.charges.retrieve_async(invoice["charge"])).to_dict()

    assert [event["type"] for event in events] == [
        "customer.subscription.created",
        "invoice.paid",
        "customer.subscription.updated",
        "checkout.session.completed",
    ]
    assert done["subscription"] == invoice["subscription"]
    assert done["invoice"] == charge["invoice"]
    assert [line["type"] for line in invoice["lines"]["data"]] == ["invoiceitem", "invoiceitem", "subscription"]


async def test_an_expired_session_sells_nothing(
    client: stripe.StripeClient, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["checkout.session.*"])
    session = await given_a_session(client)

    expired = await client.v1.checkout.sessions.expire_async(session.id)
    await press_pay(session, card="visa")

    assert (expired.status, expired.url) == ("expired", None)
    assert await control.quiet()
    assert receiver.types() == ["checkout.session.expired"]
    assert await sent(control, "customer.subscription", "payment_intent") == []


async def test_a_complete_session_cannot_be_expired(client: stripe.StripeClient, control: StripeControl) -> None:
    session = await given_a_session(client)
    await control.complete_session(session.id)

    with pytest.raises(stripe.InvalidRequestError, match="`complete`"):
        await client.v1.checkout.sessions.expire_async(session.id)


async def test_a_session_is_found_by_its_subscription(client: stripe.StripeClient, control: StripeControl) -> None:
    await given_a_session(client)
    session = await given_a_session(client)
    done = await control.complete_session(session.id)

    found = await client.v1.checkout.sessions.list_async({"subscription": done["subscription"]})
    items = await client.v1.checkout.sessions.line_items.list_async(session.id)

    assert [session.id] == [one.id for one in found.data]
    assert [one.amount_total for one in items.data] == [MONTHLY, EUR_499, 10_000]


async def test_a_customers_balance_is_used(client: stripe.StripeClient, control: StripeControl) -> None:
    session = await given_a_session(client)
    await client.v1.customers.update_async(str(session.customer), {"balance": -10_000})

    done = await control.complete_session(session.id)

    invoice = await client.v1.invoices.retrieve_async(done["invoice"])
    assert (invoice.total - 10_000, "paid") == (invoice.amount_paid, invoice.status)


async def test_without_a_customer_one_is_made(client: stripe.StripeClient, control: StripeControl) -> None:
    plan = await given_a_plan(client)
    session = await client.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "customer_email": "new@example.com",
            "line_items": [{"price": plan.yearly, "quantity": 1}],
            "success_url": SUCCESS,
        }
    )

    done = await control.complete_session(session.id)

    assert (await client.v1.customers.retrieve_async(done["customer"])).email == "new@example.com"
    assert (await control.sums())["customers"][done["customer"]]["eur"]["captured"] == 8_900


async def test_payment_mode_takes_money_and_makes_no_invoice(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    _, once, _ = await given_an_offer(client)
    session = await client.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "line_items": [once],
            "success_url": SUCCESS,
            "payment_intent_data": {"metadata": {"purchase_id": "pur_1"}},
        }
    )

    done = await control.complete_session(session.id)

    intent = await client.v1.payment_intents.retrieve_async(done["payment_intent"])
    assert (done["payment_status"], done["invoice"]) == ("paid", None)
    assert (intent.amount_received, intent.to_dict()["metadata"]) == (EUR_499, {"purchase_id": "pur_1"})


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"line_items": []}, "line_items"),
        ({"setup_intent_data": {"metadata": {}}, "setup_intent_data[description]": "x"}, "setup_intent_data"),
        ({"mode": "payment", "subscription_data": {}}, "recurring price"),
        ({"customer_email": "also@example.com"}, "only specify one"),
        ({"currency": "usd"}, "only supports `eur`"),
    ],
)
async def test_what_stripe_refuses_is_refused(client: stripe.StripeClient, wrong: Any, complaint: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=complaint):
        await given_a_session(client, **wrong)


async def test_one_time_items_alone_are_no_subscription(client: stripe.StripeClient) -> None:
    _, *once = await given_an_offer(client)

    with pytest.raises(stripe.InvalidRequestError, match="at least one recurring price"):
        await given_a_session(client, items=once)


async def test_up_to_twenty_can_be_bought_once(client: stripe.StripeClient, control: StripeControl) -> None:
    plan, *_ = await given_an_offer(client)
    many = [
        {"price_data": {"currency": "eur", "unit_amount": 100, "product_data": {"name": f"Item {n}"}}, "quantity": 1}
        for n in range(21)
    ]

    with pytest.raises(stripe.InvalidRequestError, match="up to 20"):
        await given_a_session(client, items=[plan, *many])
    session = await given_a_session(client, items=[plan, *many[:20]])
    done = await control.complete_session(session.id)

    invoice = await client.v1.invoices.retrieve_async(done["invoice"])
    lines = await client.v1.invoices.line_items.list_async(done["invoice"], {"limit": 100})
    assert (invoice.amount_paid, invoice.lines.has_more, len(lines.data)) == (2_000 + MONTHLY, True, 21)
