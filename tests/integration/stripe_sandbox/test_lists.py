"""Lists, filters and pages."""

import pytest
import stripe

from tests.integration.stripe_sandbox.conftest import Buyer, buyer_with


async def test_a_long_list_comes_in_pages_newest_first(client: stripe.StripeClient) -> None:
    made = [(await client.v1.customers.create_async({})).id for _ in range(5)]

    first = await client.v1.customers.list_async({"limit": 2})
    second = await client.v1.customers.list_async({"limit": 2, "starting_after": first.data[-1].id})
    back = await client.v1.customers.list_async({"limit": 2, "ending_before": made[0]})

    assert made[:2:-1] == [one.id for one in first.data]
    assert made[2:0:-1] == [one.id for one in second.data]
    assert made[2:0:-1] == [one.id for one in back.data]
    assert first.has_more


async def test_the_real_client_walks_through_all_pages(client: stripe.StripeClient) -> None:
    made = [(await client.v1.customers.create_async({})).id for _ in range(7)]

    found = await client.v1.customers.list_async({"limit": 3})
    walked = [one.id async for one in found.auto_paging_iter()]

    assert made[::-1] == walked


async def test_invoices_are_found_by_customer_status_and_time(client: stripe.StripeClient, buyer: Buyer) -> None:
    other = await buyer_with("pm_card_visa", client=client)
    await other.open_invoice()
    paid, opened = await buyer.paid_invoice(), await buyer.open_invoice()

    invoices = client.v1.invoices
    mine = await invoices.list_async({"customer": buyer.customer})
    open_ = await invoices.list_async({"customer": buyer.customer, "status": "open"})
    future = await invoices.list_async({"created": {"gt": opened.created}})

    assert [opened.id, paid.id] == [one.id for one in mine.data]
    assert [opened.id] == [one.id for one in open_.data]
    assert future.data == []


async def test_a_list_by_an_unknown_id_is_refused_rather_than_empty(client: stripe.StripeClient) -> None:
    for listing in (
        client.v1.invoices.list_async({"customer": "cus_nope"}),
        client.v1.refunds.list_async({"charge": "ch_nope"}),
        client.v1.invoice_payments.list_async({"invoice": "in_nope"}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await listing
        assert refused.value.code == "resource_missing"


async def test_events_are_found_by_type_and_window(buyer: Buyer) -> None:
    paid = await buyer.paid_invoice()

    events = buyer.api.events
    found = await events.list_async({"types": ["invoice.paid", "charge.succeeded"]})
    by_pattern = await events.list_async({"type": "charge.*", "created": {"gte": paid.created - 1}})
    (event,) = by_pattern.data

    assert {"invoice.paid", "charge.succeeded"} == {one.type for one in found.data}
    assert event.id == (await events.retrieve_async(event.id)).id


async def test_cards_are_listed_by_customer(buyer: Buyer) -> None:
    second = await buyer.api.payment_methods.attach_async("pm_card_mastercard", {"customer": buyer.customer})

    found = await buyer.api.customers.payment_methods.list_async(buyer.customer, {"type": "card"})

    assert [second.id, buyer.card] == [one.id for one in found.data]


async def test_a_price_is_found_by_its_lookup_key_and_its_key_can_move(client: stripe.StripeClient) -> None:
    product = await client.v1.products.create_async({"name": "Builder"})
    old = await client.v1.prices.create_async(
        {"product": product.id, "currency": "eur", "unit_amount": 900, "lookup_key": "builder:month"}
    )
    new = await client.v1.prices.create_async(
        {
            "product": product.id,
            "currency": "eur",
            "unit_amount": 1000,
            "recurring": {"interval": "month"},
            "lookup_key": "builder:month",
            "transfer_lookup_key": True,
        }
    )

    found = await client.v1.prices.list_async({"lookup_keys": ["builder:month"]})

    assert [new.id] == [one.id for one in found.data]
    assert (await client.v1.prices.retrieve_async(old.id)).lookup_key is None


async def test_an_item_may_take_its_amount_from_a_price(buyer: Buyer) -> None:
    product = await buyer.api.products.create_async({"name": "Setup"})
    price = await buyer.api.prices.create_async({"product": product.id, "currency": "eur", "unit_amount": 49_900})
    draft = await buyer.api.invoices.create_async({"customer": buyer.customer, "currency": "eur"})

    item = await buyer.api.invoice_items.create_async(
        {"customer": buyer.customer, "invoice": draft.id, "pricing": {"price": price.id}, "quantity": 2}
    )

    lines = await buyer.api.invoices.line_items.list_async(draft.id)
    (line,) = lines.data
    assert (item.amount, item.description) == (99_800, "Setup")
    assert line.pricing is not None
    assert line.pricing.price_details is not None
    assert price.id == line.pricing.price_details.price


async def test_a_pending_item_stays_out_unless_it_is_asked_for(buyer: Buyer) -> None:
    await buyer.api.invoice_items.create_async({"customer": buyer.customer, "amount": 700, "currency": "eur"})

    without = await buyer.api.invoices.create_async({"customer": buyer.customer, "currency": "eur"})
    included = await buyer.api.invoices.create_async(
        {"customer": buyer.customer, "currency": "eur", "pending_invoice_items_behavior": "include"}
    )

    assert (without.lines.data, [line.amount for line in included.lines.data]) == ([], [700])
