"""How things end, as webhooks of both eras tell it: deleted, written off, refunds that settle late."""

import pytest
import stripe

from sandbox.stripe.control import StripeControl
from tests.fixtures.stripe_shapes import BASIL, LEGACY
from tests.integration.stripe_sandbox.conftest import EUR_499, METADATA, Buyer, Receiver, buyer_with, intent_of
from tests.integration.stripe_sandbox.test_versions import VERSIONS


@pytest.fixture(params=[LEGACY, BASIL])
async def listener(control: StripeControl, receiver: Receiver, request: pytest.FixtureRequest) -> Receiver:
    """A receiver in either era."""
    await control.register_endpoint(receiver.url, api_version=VERSIONS[request.param])
    return receiver


async def test_a_deleted_customer_is_sent_as_he_was(buyer: Buyer, control: StripeControl, listener: Receiver) -> None:
    await buyer.api.customers.delete_async(buyer.customer)
    assert await control.quiet()

    sent = listener.only("customer.deleted")
    assert (sent["id"], sent["email"], "deleted" in sent) == (buyer.customer, "olga@example.com", False)
    assert sent["invoice_settings"]["default_payment_method"] == buyer.card


async def test_a_deleted_draft_is_sent_with_its_metadata(
    buyer: Buyer, control: StripeControl, listener: Receiver
) -> None:
    draft = await buyer.draft()

    await buyer.api.invoices.delete_async(draft.id)
    assert await control.quiet()

    sent = listener.only("invoice.deleted")
    assert (sent["id"], sent["status"], sent["metadata"]) == (draft.id, "draft", METADATA)
    assert [line["amount"] for line in sent["lines"]["data"]] == [EUR_499]


async def test_an_invoice_that_is_written_off_can_still_be_paid(
    buyer: Buyer, control: StripeControl, listener: Receiver
) -> None:
    invoice = await buyer.open_invoice()

    await buyer.api.invoices.mark_uncollectible_async(invoice.id)
    assert await control.quiet()

    sent = listener.only("invoice.marked_uncollectible")
    assert (sent["id"], sent["status"], sent["amount_paid"]) == (invoice.id, "uncollectible", 0)
    assert (await buyer.pay(invoice)).status == "paid"


async def test_a_pending_refund_is_sent_again_when_it_settles(
    client: stripe.StripeClient, control: StripeControl, listener: Receiver
) -> None:
    buyer = await buyer_with("pm_card_pendingRefund", client=client)
    invoice = await buyer.paid_invoice()

    refund = await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice), "amount": 900})
    assert await control.quiet()

    assert (refund.status, listener.only("refund.created")["status"]) == ("pending", "pending")
    assert listener.only("charge.refunded")["amount_refunded"] == 900
    assert listener.only("refund.updated")["status"] == "succeeded"
    assert listener.only("charge.refund.updated")["id"] == refund.id
    assert "refund.failed" not in listener.types()


async def test_a_part_that_fails_is_given_back_to_the_charge_and_the_rest_stays(
    buyer: Buyer, control: StripeControl, listener: Receiver
) -> None:
    invoice = await buyer.paid_invoice()
    kept = await control.refund_as_dashboard(invoice=invoice.id, amount=900)
    failing = await control.refund_as_dashboard(invoice=invoice.id, amount=EUR_499 - 900)

    await control.settle_refund(failing["id"], status="failed")
    assert await control.quiet()

    charge = await buyer.api.charges.retrieve_async(kept["charge"])
    sent = listener.only("refund.failed")
    assert (charge.refunded, charge.amount_refunded) == (False, 900)
    assert (sent["id"], sent["status"], sent["failure_reason"]) == (failing["id"], "failed", "lost_or_stolen_card")
    assert listener.only("refund.updated")["status"] == "failed"


async def test_a_pending_refund_can_be_cancelled(
    client: stripe.StripeClient, control: StripeControl, listener: Receiver
) -> None:
    await control.settings(refund_delay=None)
    buyer = await buyer_with("pm_card_pendingRefund", client=client)
    invoice = await buyer.paid_invoice()
    refund = await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice)})

    await control.settle_refund(refund.id, status="canceled")
    assert await control.quiet()

    charge = await buyer.api.charges.retrieve_async(str(refund.charge))
    assert (charge.refunded, charge.amount_refunded) == (False, 0)
    assert listener.only("refund.updated")["status"] == "canceled"
    await control.settings(refund_delay=0.05)


async def test_a_lost_dispute_is_sent_in_either_era(buyer: Buyer, control: StripeControl, listener: Receiver) -> None:
    invoice = await buyer.paid_invoice()
    dispute = await control.open_dispute(invoice=invoice.id)

    await control.close_dispute(dispute["id"], status="lost")
    assert await control.quiet()

    opened, closed = listener.only("charge.dispute.created"), listener.only("charge.dispute.closed")
    assert (opened["status"], closed["status"]) == ("needs_response", "lost")
    assert (closed["amount"], closed["currency"], closed["payment_intent"]) == (EUR_499, "eur", intent_of(invoice))


async def test_a_saved_card_is_sent_in_either_era(
    client: stripe.StripeClient, control: StripeControl, listener: Receiver
) -> None:
    session = await client.v1.checkout.sessions.create_async(
        {"mode": "setup", "currency": "eur", "success_url": "https://app.example/", "metadata": METADATA}
    )

    await control.complete_session(session.id)
    assert await control.quiet()

    sent = listener.only("checkout.session.completed")
    assert (sent["mode"], sent["status"], sent["metadata"]) == ("setup", "complete", METADATA)
    assert sent["setup_intent"] == listener.only("setup_intent.succeeded")["id"]
    assert sent["customer"] is None
