"""Events on their way to an endpoint: signed, repeated, lost, doubled, late and out of order."""

import httpx
import pytest
import stripe

from sandbox.stripe.control import StripeControl
from tests.integration.stripe_sandbox.conftest import Buyer, Receiver, buyer_with, intent_of

OLD, NEW = "whsec_old", "whsec_new"
PAID = [
    "payment_intent.succeeded",
    "charge.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
]


async def test_each_webhook_carries_a_signature_that_the_real_library_accepts(
    buyer: Buyer, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url, secrets=[NEW])
    await buyer.paid_invoice()
    assert await control.quiet()

    for body, signature in receiver.received:
        assert stripe.WebhookSignature.verify_header(body.decode(), signature, NEW, tolerance=300)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body.decode(), signature, OLD, tolerance=300)


async def test_while_a_secret_is_rotated_either_one_verifies(
    buyer: Buyer, control: StripeControl, receiver: Receiver
) -> None:
    endpoint = await control.register_endpoint(receiver.url, secrets=[OLD])
    await control.change_endpoint(endpoint["id"], secrets=[NEW, OLD])
    await buyer.draft()
    assert await control.quiet()

    body, signature = receiver.received[0]
    assert signature.count("v1=") == 2
    for secret in (OLD, NEW):
        assert stripe.WebhookSignature.verify_header(body.decode(), signature, secret, tolerance=300)


async def test_a_payment_tells_what_stripe_tells(buyer: Buyer, control: StripeControl) -> None:
    before = len(await control.events())

    await buyer.paid_invoice()

    sent = [event["type"] for event in (await control.events())[before:] if event["type"] != "invoice.updated"]
    opened = ["invoice.created", "invoiceitem.created", "payment_intent.created", "invoice.finalized"]
    assert opened + PAID == sent


async def test_a_decline_tells_of_the_failed_charge_and_invoice(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    buyer = await buyer_with("pm_card_chargeCustomerFail", client=client)
    await buyer.declined(await buyer.open_invoice())

    sent = [event["type"] for event in await control.events()]

    assert {"charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"} <= set(sent)
    assert "invoice.payment_action_required" not in sent


async def test_needing_the_customer_is_sent_as_a_failed_payment_too(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    buyer = await buyer_with("pm_card_authenticationRequired", client=client)
    await buyer.declined(await buyer.open_invoice())

    sent = {event["type"] for event in await control.events()}

    assert {"payment_intent.requires_action", "invoice.payment_failed", "invoice.payment_action_required"} <= sent


async def test_an_event_names_the_request_and_its_key(client: stripe.StripeClient, control: StripeControl) -> None:
    customer = await client.v1.customers.create_async({}, stripe.RequestOptions(idempotency_key="mine"))

    (event,) = await control.events(type="customer.created")

    assert customer.last_response is not None
    assert {"id": customer.last_response.request_id, "idempotency_key": "mine"} == event["request"]


async def test_an_update_tells_what_was_there_before(buyer: Buyer, control: StripeControl) -> None:
    await buyer.api.customers.update_async(buyer.customer, {"name": "Olga B.", "metadata": {"a": "1"}})

    event = (await control.events(type="customer.updated"))[-1]

    assert event["data"]["previous_attributes"] == {"name": "Olga", "metadata": {"a": None}}


async def test_only_the_enabled_events_are_delivered(buyer: Buyer, control: StripeControl, receiver: Receiver) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["invoice.paid", "charge.succeeded"])

    await buyer.paid_invoice()
    assert await control.quiet()

    assert sorted(receiver.types()) == ["charge.succeeded", "invoice.paid"]


async def test_what_was_not_taken_is_sent_again(buyer: Buyer, control: StripeControl, receiver: Receiver) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["invoice.paid"])
    receiver.answers = [500, 403]

    await buyer.paid_invoice()
    assert await control.quiet()

    (delivery,) = await control.deliveries()
    assert (
        len(receiver.received),
        delivery["state"],
        delivery["statuses"],
    ) == (3, "delivered", [500, 403, 200])
    assert len({event["id"] for event in receiver.events}) == 1


async def test_an_event_nobody_took_is_in_the_list(buyer: Buyer, control: StripeControl, receiver: Receiver) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["invoice.paid"])
    await control.drop_webhooks("invoice.*")
    await buyer.paid_invoice()
    assert await control.quiet()

    listed = await buyer.api.events.list_async({"types": ["invoice.paid"], "delivery_success": False})

    assert receiver.received == []
    assert [event.type for event in listed.data] == ["invoice.paid"]


async def test_a_lost_event_can_be_sent_again_many_times_at_once(
    buyer: Buyer, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["invoice.paid"])
    await control.drop_webhooks(times=1)
    await buyer.paid_invoice()
    (event,) = await control.events(type="invoice.paid")

    await control.resend(event["id"], copies=20)
    assert await control.quiet()

    assert [event["id"]] * 20 == [received["id"] for received in receiver.events]


async def test_webhooks_can_be_doubled(buyer: Buyer, control: StripeControl, receiver: Receiver) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["invoice.paid"])
    await control.duplicate_webhooks("invoice.paid", copies=3)

    await buyer.paid_invoice()
    assert await control.quiet()

    assert receiver.types() == ["invoice.paid"] * 3


async def test_webhooks_can_be_turned_around(buyer: Buyer, control: StripeControl, receiver: Receiver) -> None:
    await control.register_endpoint(receiver.url, enabled_events=PAID)
    await control.reorder_webhooks()

    await buyer.paid_invoice()
    assert await control.quiet()

    assert PAID[::-1] == receiver.types()


async def test_webhooks_can_be_held_and_released(buyer: Buyer, control: StripeControl, receiver: Receiver) -> None:
    await control.register_endpoint(receiver.url, enabled_events=PAID)
    await control.hold_webhooks("invoice.*")
    await buyer.paid_invoice()
    assert await control.quiet()
    assert not [type_ for type_ in receiver.types() if type_.startswith("invoice.")]

    assert await control.release_webhooks() == 2
    assert await control.quiet()

    assert sorted(PAID) == sorted(receiver.types())


async def test_webhooks_can_be_late(buyer: Buyer, control: StripeControl, receiver: Receiver) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["invoice.paid"])
    await control.delay_webhooks(seconds=0.3)

    await buyer.paid_invoice()

    assert not await control.quiet(timeout=0)
    assert receiver.received == []
    assert await control.quiet()
    assert receiver.types() == ["invoice.paid"]


async def test_an_endpoint_made_through_the_api_shows_its_secret_once(
    client: stripe.StripeClient, control: StripeControl, receiver: Receiver
) -> None:
    endpoint = await client.v1.webhook_endpoints.create_async(
        {"url": receiver.url, "enabled_events": ["customer.created"], "api_version": "2024-06-20"}
    )
    await client.v1.customers.create_async({})
    assert await control.quiet()

    ((body, signature),) = receiver.received
    assert endpoint.secret
    assert stripe.WebhookSignature.verify_header(body.decode(), signature, endpoint.secret, tolerance=300)
    assert receiver.events[0]["api_version"] == "2024-06-20"
    known = await client.v1.webhook_endpoints.retrieve_async(endpoint.id)
    assert "secret" not in known.to_dict()


async def test_a_refund_by_the_dashboard_names_no_key(buyer: Buyer, control: StripeControl) -> None:
    invoice = await buyer.paid_invoice()

    await control.refund_as_dashboard(payment_intent=intent_of(invoice), amount=100)

    (event,) = await control.events(type="charge.refunded")
    assert event["request"]["idempotency_key"] is None
    assert event["data"]["previous_attributes"] == {"amount_refunded": 0}


async def test_an_endpoint_that_is_away_gets_it_when_it_is_back(
    buyer: Buyer, control: StripeControl, receiver: Receiver, stripe_url: str
) -> None:
    endpoint = await control.register_endpoint("http://127.0.0.1:1/closed", enabled_events=["invoice.paid"])
    await buyer.paid_invoice()
    await control.change_endpoint(endpoint["id"], url=receiver.url)

    assert await control.quiet()

    assert receiver.types() == ["invoice.paid"]
    async with httpx.AsyncClient() as anybody:
        quiet = (await anybody.get(f"{stripe_url}/_sandbox/quiet")).json()
    assert quiet == {"quiet": True, "pending": 0, "held": 0}
