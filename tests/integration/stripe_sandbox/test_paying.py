"""An invoice for an add-on, from draft to paid, as the saved card is charged."""

import pytest
import stripe

from sandbox.stripe.control import StripeControl
from tests.integration.stripe_sandbox.conftest import EUR_499, METADATA, Buyer, buyer_with, intent_of


async def test_a_draft_holds_the_item_bound_to_it_with_its_metadata(buyer: Buyer) -> None:
    draft = await buyer.draft()

    invoice = await buyer.api.invoices.retrieve_async(draft.id)

    (line,) = invoice.lines.data
    assert (invoice.status, line.amount, line.metadata.to_dict()) == ("draft", EUR_499, METADATA)


async def test_finalising_gives_the_invoice_its_payment_intent_and_number(buyer: Buyer) -> None:
    invoice = await buyer.open_invoice()

    intent = await buyer.api.payment_intents.retrieve_async(intent_of(invoice))

    assert (invoice.status, invoice.amount_due) == ("open", EUR_499)
    assert invoice.number
    assert (intent.status, intent.amount, intent.currency) == ("requires_payment_method", EUR_499, "eur")


async def test_paying_charges_the_saved_card(buyer: Buyer) -> None:
    invoice = await buyer.pay(await buyer.open_invoice())

    (charge,) = (await buyer.api.charges.list_async({"payment_intent": intent_of(invoice)})).data
    assert (invoice.status, invoice.amount_paid, invoice.amount_remaining) == ("paid", EUR_499, 0)
    assert (EUR_499, True, buyer.customer) == (charge.amount_captured, charge.paid, charge.customer)


async def test_the_payment_is_found_by_invoice_and_by_intent(buyer: Buyer) -> None:
    invoice = await buyer.paid_invoice()

    by_invoice = await buyer.api.invoice_payments.list_async({"invoice": invoice.id})
    by_intent = await buyer.api.invoice_payments.list_async(
        {"payment": {"type": "payment_intent", "payment_intent": intent_of(invoice)}}
    )

    (payment,) = by_invoice.data
    assert [payment.id] == [one.id for one in by_intent.data]
    assert ("paid", EUR_499, invoice.id) == (payment.status, payment.amount_paid, payment.invoice)


async def test_expanding_reaches_the_intent_behind_the_invoice(buyer: Buyer) -> None:
    paid = await buyer.paid_invoice()

    invoice = await buyer.api.invoices.retrieve_async(
        paid.id, {"expand": ["payments.data.payment.payment_intent", "customer"]}
    )

    assert invoice.payments is not None
    assert isinstance(invoice.payments.data[0].payment.payment_intent, stripe.PaymentIntent)
    assert isinstance(invoice.customer, stripe.Customer)


@pytest.mark.parametrize("path", ["payments.data.payment.payment_intent.latest_charge", "customer.a.b.c.d"])
async def test_expanding_ends_after_four_levels_a_lists_data_among_them(buyer: Buyer, path: str) -> None:
    paid = await buyer.paid_invoice()

    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        await buyer.api.invoices.retrieve_async(paid.id, {"expand": [path]})


async def test_a_declined_card_leaves_the_invoice_open_with_the_decline_code(client: stripe.StripeClient) -> None:
    buyer = await buyer_with("pm_card_chargeCustomerFail", client=client)
    invoice = await buyer.open_invoice()

    refusal = await buyer.declined(invoice)

    assert (refusal.http_status, refusal.code) == (402, "card_declined")
    assert refusal.error is not None
    assert refusal.error.decline_code == "generic_decline"
    intent = await buyer.api.payment_intents.retrieve_async(intent_of(invoice))
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "card_declined"
    assert (await buyer.api.invoices.retrieve_async(invoice.id)).status == "open"


async def test_a_declined_invoice_can_be_paid_with_another_card(client: stripe.StripeClient) -> None:
    buyer = await buyer_with("pm_card_chargeCustomerFail", client=client)
    invoice = await buyer.open_invoice()
    await buyer.declined(invoice)
    other = await buyer.api.payment_methods.attach_async("pm_card_mastercard", {"customer": buyer.customer})

    paid = await buyer.api.invoices.pay_async(invoice.id, {"payment_method": other.id})

    assert (paid.status, paid.attempt_count) == ("paid", 1)


@pytest.mark.parametrize("card", ["pm_card_chargeDeclined", "pm_card_visa_chargeDeclinedInsufficientFunds"])
async def test_some_cards_cannot_even_be_attached(client: stripe.StripeClient, card: str) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await buyer_with(card, client=client)

    assert refused.value.code == "card_declined"


async def test_a_saved_card_may_turn_bad(buyer: Buyer, control: StripeControl) -> None:
    await control.change_card(buyer.card, "chargeDeclinedInsufficientFunds")

    refusal = await buyer.declined(await buyer.open_invoice())

    assert refusal.error is not None
    assert refusal.error.decline_code == "insufficient_funds"


async def test_voiding_closes_the_invoice_and_cancels_its_intent(buyer: Buyer) -> None:
    invoice = await buyer.open_invoice()

    voided = await buyer.api.invoices.void_invoice_async(invoice.id)

    intent = await buyer.api.payment_intents.retrieve_async(intent_of(invoice))
    assert (voided.status, intent.status, intent.cancellation_reason) == ("void", "canceled", "void_invoice")


async def test_an_uncollectible_invoice_can_still_be_paid_or_voided(buyer: Buyer) -> None:
    first, second = await buyer.open_invoice(), await buyer.open_invoice()
    for invoice in (first, second):
        await buyer.api.invoices.mark_uncollectible_async(invoice.id)

    assert (await buyer.pay(first)).status == "paid"
    assert (await buyer.api.invoices.void_invoice_async(second.id)).status == "void"


async def test_a_deleted_draft_is_gone(buyer: Buyer) -> None:
    draft = await buyer.draft()

    deleted = await buyer.api.invoices.delete_async(draft.id)

    assert deleted.deleted
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await buyer.api.invoices.retrieve_async(draft.id)
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


async def test_an_invoice_below_the_minimum_is_paid_without_a_payment(buyer: Buyer) -> None:
    invoice = await buyer.open_invoice(amount=49)

    customer = await buyer.api.customers.retrieve_async(buyer.customer)
    assert (invoice.status, invoice.amount_due, invoice.amount_paid, invoice.total) == ("paid", 0, 0, 49)
    assert invoice.payments is not None
    assert invoice.payments.data == []
    assert customer.balance == 49


async def test_credit_balance_makes_the_amount_paid_less_than_the_total(buyer: Buyer) -> None:
    await buyer.api.customers.update_async(buyer.customer, {"balance": -10_000})

    invoice = await buyer.paid_invoice()

    assert (invoice.total, invoice.amount_paid) == (EUR_499, 39_900)


async def test_no_card_at_all_is_refused_without_an_attempt(client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async({})
    buyer = Buyer(client=client, customer=customer.id, card="")
    invoice = await buyer.open_invoice()

    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.invoices.pay_async(invoice.id)

    assert (await client.v1.invoices.retrieve_async(invoice.id)).attempt_count == 0
