"""What Stripe refuses, in its own terms."""

import httpx
import pytest
import stripe

from tests.integration.stripe_sandbox.conftest import Buyer


async def test_a_request_without_a_key_is_401(stripe_url: str) -> None:
    async with httpx.AsyncClient() as nobody:
        answer = await nobody.get(f"{stripe_url}/v1/customers")

    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")


async def test_basic_authentication_works_as_curl_does_it(stripe_url: str) -> None:
    async with httpx.AsyncClient(auth=("sk_test_curl", "")) as curl:
        answer = await curl.get(f"{stripe_url}/v1/customers")

    assert answer.status_code == 200


async def test_an_unknown_parameter_is_named(buyer: Buyer) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await buyer.api.customers.create_async({"colour": "red"})  # type: ignore[arg-type]

    assert (
        refused.value.http_status,
        refused.value.code,
        refused.value.param,
    ) == (400, "parameter_unknown", "colour")


async def test_an_unknown_nested_parameter_is_named(buyer: Buyer) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await buyer.api.customers.create_async(
            {"invoice_settings": {"default_card": "x"}}  # type: ignore[arg-type]
        )

    assert refused.value.param == "invoice_settings[default_card]"


async def test_an_unknown_path_is_404(stripe_url: str) -> None:
    async with httpx.AsyncClient(auth=("sk_test_x", "")) as curl:
        answer = await curl.get(f"{stripe_url}/v1/unheard_of")

    assert (
        answer.status_code,
        answer.json()["error"]["message"][:24],
    ) == (404, "Unrecognized request URL")


@pytest.mark.parametrize("id_", ["in_nope", "pi_nope"])
async def test_an_unknown_id_is_resource_missing(client: stripe.StripeClient, id_: str) -> None:
    known = client.v1.invoices if id_.startswith("in_") else client.v1.payment_intents

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await known.retrieve_async(id_)

    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


async def test_a_deleted_customer_cannot_be_invoiced_and_says_that_it_is_deleted(buyer: Buyer) -> None:
    await buyer.api.customers.delete_async(buyer.customer)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await buyer.draft()

    assert (refused.value.code, refused.value.param) == ("resource_missing", "customer")
    expanding: stripe.params.CustomerRetrieveParams = {"expand": ["invoice_settings.default_payment_method"]}
    assert (await buyer.api.customers.retrieve_async(buyer.customer, expanding)).deleted


async def test_a_finalised_invoice_takes_no_more_items(buyer: Buyer) -> None:
    invoice = await buyer.open_invoice()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await buyer.api.invoice_items.create_async({"invoice": invoice.id, "amount": 100, "currency": "eur"})

    assert refused.value.code == "invoice_not_editable"


async def test_a_paid_invoice_is_neither_paid_again_nor_voided_nor_deleted(buyer: Buyer) -> None:
    invoice = await buyer.paid_invoice()

    for act in (buyer.api.invoices.pay_async, buyer.api.invoices.void_invoice_async, buyer.api.invoices.delete_async):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await act(invoice.id)
        assert refused.value.http_status == 400


async def test_a_void_invoice_cannot_be_paid(buyer: Buyer) -> None:
    invoice = await buyer.open_invoice()
    await buyer.api.invoices.void_invoice_async(invoice.id)

    with pytest.raises(stripe.InvalidRequestError):
        await buyer.pay(invoice)


async def test_an_item_in_another_currency_than_its_invoice_is_refused(buyer: Buyer) -> None:
    draft = await buyer.draft()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await buyer.api.invoice_items.create_async({"invoice": draft.id, "amount": 100, "currency": "usd"})

    assert refused.value.param == "currency"


async def test_a_detached_card_cannot_come_back(buyer: Buyer) -> None:
    await buyer.api.payment_methods.detach_async(buyer.card)

    with pytest.raises(stripe.InvalidRequestError):
        await buyer.api.payment_methods.attach_async(buyer.card, {"customer": buyer.customer})

    customer = await buyer.api.customers.retrieve_async(buyer.customer)
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method is None


async def test_metadata_beyond_stripes_limits_is_refused(client: stripe.StripeClient) -> None:
    for metadata in ({"k" * 41: "v"}, {"k": "v" * 501}, {f"k{n}": "v" for n in range(51)}):
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.customers.create_async({"metadata": metadata})


async def test_metadata_is_merged_and_unset_by_an_empty_value(client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async({"metadata": {"a": "1", "b": "2"}})

    changed = await client.v1.customers.update_async(customer.id, {"metadata": {"b": "", "c": "3"}})

    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}


async def test_a_key_with_an_unsupported_version_is_refused(stripe_url: str) -> None:
    async with httpx.AsyncClient(auth=("sk_test_x", ""), headers={"Stripe-Version": "soon"}) as curl:
        answer = await curl.get(f"{stripe_url}/v1/customers")

    assert answer.status_code == 400
