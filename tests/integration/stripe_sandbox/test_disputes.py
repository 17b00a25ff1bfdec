"""Disputes: opened by cards that always are, by the control API, answered, won and lost."""

import pytest
import stripe

from sandbox.stripe.control import ControlError, StripeControl
from tests.integration.stripe_sandbox.conftest import EUR_499, Buyer, Receiver, buyer_with, intent_of

OPENED = ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


async def disputes_of(buyer: Buyer, invoice: stripe.Invoice) -> list[stripe.Dispute]:
    """The disputes of what paid `invoice`."""
    return (await buyer.api.disputes.list_async({"payment_intent": intent_of(invoice)})).data


@pytest.mark.parametrize(
    ("card", "reason", "status", "types"),
    [
        ("pm_card_createDispute", "fraudulent", "needs_response", OPENED),
        ("pm_card_createDisputeProductNotReceived", "product_not_received", "needs_response", OPENED),
        ("pm_card_createDisputeInquiry", "fraudulent", "warning_needs_response", OPENED[:1]),
    ],
)
async def test_some_cards_pay_and_dispute_at_once(
    client: stripe.StripeClient,
    control: StripeControl,
    receiver: Receiver,
    card: str,
    reason: str,
    status: str,
    types: list[str],
) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["charge.dispute.*"])
    buyer = await buyer_with(card, client=client)

    invoice = await buyer.paid_invoice()
    assert await control.quiet()

    (dispute,) = await disputes_of(buyer, invoice)
    charge = await buyer.api.charges.retrieve_async(str(dispute.charge))
    assert invoice.status == "paid"
    assert (EUR_499, "eur", reason, status) == (dispute.amount, dispute.currency, dispute.reason, dispute.status)
    assert charge.disputed
    assert types == sorted(receiver.types())


async def test_any_charge_can_be_disputed_and_lost(buyer: Buyer, control: StripeControl, receiver: Receiver) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["charge.dispute.*"])
    invoice = await buyer.paid_invoice()

    dispute = await control.open_dispute(invoice=invoice.id, reason="product_unacceptable", amount=10_000)
    lost = await control.close_dispute(dispute["id"], status="lost")

    assert await control.quiet()
    assert (lost["status"], lost["amount"], lost["is_charge_refundable"]) == ("lost", 10_000, False)
    assert sorted(receiver.types()) == ["charge.dispute.closed", *OPENED]
    assert receiver.only("charge.dispute.closed")["status"] == "lost"
    assert (await control.sums())["lost"] == {buyer.customer: {"eur": 10_000}}
    assert [dispute["id"]] == [one.id for one in await disputes_of(buyer, invoice)]


async def test_a_dispute_that_is_won_gives_the_money_back(
    buyer: Buyer, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url, enabled_events=["charge.dispute.*"])
    invoice = await buyer.paid_invoice()

    dispute = await control.open_dispute(payment_intent=intent_of(invoice))
    won = await control.close_dispute(dispute["id"], status="won")

    assert await control.quiet()
    assert [one["amount"] for one in won["balance_transactions"]] == [-EUR_499, EUR_499]
    assert sorted(receiver.types()) == [
        "charge.dispute.closed",
        *OPENED[:1],
        "charge.dispute.funds_reinstated",
        OPENED[1],
    ]
    assert (await control.sums())["lost"] == {}


async def test_what_was_charged_back_cannot_be_refunded_unless_it_was_won(buyer: Buyer, control: StripeControl) -> None:
    invoice = await buyer.paid_invoice()
    dispute = await control.open_dispute(invoice=invoice.id)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice)})
    await control.close_dispute(dispute["id"], status="won")
    refund = await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice)})

    assert (refused.value.code, refund.status) == ("charge_disputed", "succeeded")


async def test_an_inquiry_leaves_the_charge_refundable_and_ends_as_a_warning(
    buyer: Buyer, control: StripeControl
) -> None:
    invoice = await buyer.paid_invoice()
    dispute = await control.open_dispute(invoice=invoice.id, inquiry=True)

    with pytest.raises(ControlError):
        await control.close_dispute(dispute["id"], status="lost")
    closed = await control.close_dispute(dispute["id"], status="warning_closed")
    refund = await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice)})

    assert (closed["status"], closed["balance_transactions"], refund.status) == ("warning_closed", [], "succeeded")


async def test_giving_in_loses_the_dispute_once(buyer: Buyer, control: StripeControl) -> None:
    invoice = await buyer.paid_invoice()
    dispute = await control.open_dispute(invoice=invoice.id)

    closed = await buyer.api.disputes.close_async(dispute["id"])

    assert closed.status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        await buyer.api.disputes.close_async(dispute["id"])


@pytest.mark.parametrize(("text", "end"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
async def test_stripes_magic_evidence_decides(buyer: Buyer, control: StripeControl, text: str, end: str) -> None:
    invoice = await buyer.paid_invoice()
    dispute = await control.open_dispute(invoice=invoice.id)

    staged = await buyer.api.disputes.update_async(
        dispute["id"], {"evidence": {"uncategorized_text": text}, "submit": False, "metadata": {"n": "1"}}
    )
    sent = await buyer.api.disputes.update_async(dispute["id"], {"evidence": {"uncategorized_text": text}})
    assert await control.quiet()

    judged = await buyer.api.disputes.retrieve_async(dispute["id"])
    assert ("needs_response", "under_review", end) == (staged.status, sent.status, judged.status)
    assert (judged.metadata.to_dict(), judged.evidence_details.submission_count) == ({"n": "1"}, 1)


async def test_only_what_is_left_can_be_disputed_and_once_at_a_time(buyer: Buyer, control: StripeControl) -> None:
    invoice = await buyer.paid_invoice()
    await control.refund_as_dashboard(invoice=invoice.id, amount=900)

    with pytest.raises(ControlError, match="to dispute"):
        await control.open_dispute(invoice=invoice.id, amount=EUR_499)
    dispute = await control.open_dispute(invoice=invoice.id)
    with pytest.raises(ControlError, match="disputed already"):
        await control.open_dispute(invoice=invoice.id, amount=100)

    assert dispute["amount"] == EUR_499 - 900
