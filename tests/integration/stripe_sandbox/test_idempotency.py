"""Idempotency keys, and requests whose answer never comes."""

import asyncio

import httpx
import pytest
import stripe

from sandbox.stripe.control import ControlError, StripeControl
from tests.integration.stripe_sandbox.conftest import Buyer, Receiver

KEY = stripe.RequestOptions(idempotency_key="quittance:1:invoice:1")


async def customers(control: StripeControl) -> int:
    """How many there are."""
    return len((await control.objects(kind="customer"))["customer"])


async def test_a_repeated_key_replays_the_first_answer(client: stripe.StripeClient, control: StripeControl) -> None:
    first = await client.v1.customers.create_async({"email": "a@example.com"}, KEY)

    again = await client.v1.customers.create_async({"email": "a@example.com"}, KEY)

    assert first.id == again.id
    assert first.last_response is not None
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert await customers(control) == 1


async def test_a_key_is_good_for_one_set_of_parameters(client: stripe.StripeClient) -> None:
    await client.v1.customers.create_async({"email": "a@example.com"}, KEY)

    with pytest.raises(stripe.IdempotencyError) as refused:
        await client.v1.customers.create_async({"email": "b@example.com"}, KEY)

    assert refused.value.http_status == 400


async def test_a_500_is_stored_and_replayed_although_nothing_was_done(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    await control.fault("error_before", operation="customers.create")

    for _ in range(2):
        with pytest.raises(stripe.APIError) as broken:
            await client.v1.customers.create_async({}, KEY)
        assert broken.value.http_status == 500

    assert await customers(control) == 0
    await client.v1.customers.create_async({}, stripe.RequestOptions(idempotency_key="quittance:1:invoice:2"))
    assert await customers(control) == 1


async def test_a_500_may_hide_that_it_was_done(client: stripe.StripeClient, control: StripeControl) -> None:
    await control.fault("error_after", operation="customers.create")

    for _ in range(2):
        with pytest.raises(stripe.APIError):
            await client.v1.customers.create_async({}, KEY)

    assert await customers(control) == 1


async def test_a_500_of_the_edge_is_not_stored(client: stripe.StripeClient, control: StripeControl) -> None:
    await control.fault("error_before", operation="customers.create", stored=False, status=503)

    with pytest.raises(stripe.APIError):
        await client.v1.customers.create_async({}, KEY)

    assert (await client.v1.customers.create_async({}, KEY)).id


async def test_a_decline_is_stored_like_any_answer(buyer: Buyer, control: StripeControl) -> None:
    await control.change_card(buyer.card, "chargeCustomerFail")
    invoice = await buyer.open_invoice()

    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await buyer.api.invoices.pay_async(invoice.id, {"payment_method": buyer.card}, KEY)

    assert len((await buyer.api.charges.list_async({"customer": buyer.customer})).data) == 1


async def test_a_refused_parameter_is_not_stored(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.customers.create_async({"colour": "red"}, KEY)  # type: ignore[arg-type]

    assert (await client.v1.customers.create_async({}, KEY)).id


async def test_a_key_in_use_is_409(stripe_url: str, control: StripeControl) -> None:
    await control.fault("latency", operation="customers.create", seconds=0.5)
    headers = {"Idempotency-Key": "twice"}

    async with httpx.AsyncClient(base_url=stripe_url, auth=("sk_test_x", ""), headers=headers) as curl:
        first = asyncio.create_task(curl.post("/v1/customers"))
        await asyncio.sleep(0.2)
        second = await curl.post("/v1/customers")
        answered = await first

    assert (second.status_code, second.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert answered.status_code == 200


async def test_a_forgotten_key_does_it_again(client: stripe.StripeClient, control: StripeControl) -> None:
    await client.v1.customers.create_async({}, KEY)

    await control.forget_idempotency_keys()
    await client.v1.customers.create_async({}, KEY)

    assert await customers(control) == 2


@pytest.mark.parametrize(
    ("fault", "done"), [("hang_before", 0), ("hang_after", 1), ("close_before", 0), ("close_after", 1)]
)
async def test_an_answer_that_never_comes_says_nothing_about_the_effect(
    stripe_url: str, control: StripeControl, fault: str, done: int
) -> None:
    await control.fault(fault, operation="customers.create", seconds=5)

    async with httpx.AsyncClient(base_url=stripe_url, auth=("sk_test_x", ""), timeout=0.3) as curl:
        with pytest.raises(httpx.TransportError):
            await curl.post("/v1/customers", headers={"Idempotency-Key": "unknown"})
        assert done == await customers(control)
        repeated = await curl.post("/v1/customers", headers={"Idempotency-Key": "unknown"})

    assert repeated.status_code == 200
    assert bool(done) == ("idempotent-replayed" in repeated.headers)
    assert await customers(control) == 1


async def test_the_real_client_repeats_what_got_no_answer(
    stripe_url: str, control: StripeControl, http: stripe.HTTPXClient
) -> None:
    patient = stripe.StripeClient(
        "sk_test_x", base_addresses={"api": stripe_url}, http_client=http, max_network_retries=2
    )
    await control.fault("close_after", operation="customers.create")

    customer = await patient.v1.customers.create_async({})

    assert [customer.id] == [one["id"] for one in (await control.objects(kind="customer"))["customer"]]


async def test_too_many_requests_are_429_and_may_be_skipped_first(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    await control.fault("rate_limit", operation="customers.*", skip=1)

    await client.v1.customers.create_async({})
    with pytest.raises(stripe.RateLimitError):
        await client.v1.customers.create_async({})

    assert (await client.v1.customers.create_async({})).id
    assert [rule["hits"] for rule in await control.faults()] == [1]


async def test_a_late_answer_comes_after_its_webhooks(
    client: stripe.StripeClient, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url)
    await control.fault("late", operation="customers.create", seconds=2)

    answer = asyncio.create_task(client.v1.customers.create_async({}))
    while not receiver.received:  # noqa: ASYNC110 - the receiver has no event to wait for
        await asyncio.sleep(0.01)

    assert not answer.done()
    assert (await answer).id == receiver.only("customer.created")["id"]


async def test_a_fault_for_no_operation_is_refused(control: StripeControl) -> None:
    with pytest.raises(ControlError, match="no operation is named"):
        await control.fault("late", operation="invoice.pay")
