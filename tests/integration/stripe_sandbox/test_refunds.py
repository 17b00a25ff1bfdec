"""Money given back: in full, in part, too much, and by banks that change their mind."""

import pytest
import stripe

from sandbox.stripe.control import StripeControl
from tests.integration.stripe_sandbox.conftest import EUR_499, Buyer, Receiver, buyer_with, intent_of


async def charge_of(buyer: Buyer, invoice: stripe.Invoice) -> stripe.Charge:
    """The charge that paid `invoice`."""
    (charge,) = (await buyer.api.charges.list_async({"payment_intent": intent_of(invoice)})).data
    return charge


async def test_a_full_refund_leaves_nothing_to_refund(buyer: Buyer) -> None:
    invoice = await buyer.paid_invoice()

    refund = await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice)})

    charge = await charge_of(buyer, invoice)
    assert ("succeeded", EUR_499, charge.id) == (refund.status, refund.amount, refund.charge)
    assert (charge.refunded, charge.amount_refunded) == (True, EUR_499)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await buyer.api.refunds.create_async({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"


async def test_partial_refunds_add_up_and_are_listed(buyer: Buyer) -> None:
    invoice = await buyer.paid_invoice()
    charge = await charge_of(buyer, invoice)

    first = await buyer.api.refunds.create_async({"charge": charge.id, "amount": 900, "metadata": {"n": "1"}})
    second = await buyer.api.refunds.create_async(
        {"charge": charge.id, "amount": 100, "reason": "requested_by_customer"}
    )

    charge = await charge_of(buyer, invoice)
    by_charge = await buyer.api.refunds.list_async({"charge": charge.id})
    by_intent = await buyer.api.refunds.list_async({"payment_intent": intent_of(invoice)})
    assert (charge.refunded, charge.amount_refunded) == (False, 1000)
    assert [second.id, first.id] == [one.id for one in by_charge.data] == [one.id for one in by_intent.data]


async def test_more_than_remains_is_refused(buyer: Buyer) -> None:
    invoice = await buyer.paid_invoice()
    await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice), "amount": 49_000})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice), "amount": 901})

    assert (refused.value.http_status, refused.value.param) == (400, "amount")
    assert "is greater than unrefunded amount on charge" in str(refused.value)


async def test_an_unpaid_intent_has_nothing_to_refund(buyer: Buyer) -> None:
    invoice = await buyer.open_invoice()

    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice)})


async def test_some_refunds_fail_at_the_bank_and_no_longer_count(
    client: stripe.StripeClient, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url)
    buyer = await buyer_with("pm_card_refundFail", client=client)
    invoice = await buyer.paid_invoice()

    refund = await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice)})
    assert await control.quiet()

    refund = await buyer.api.refunds.retrieve_async(refund.id)
    assert (refund.status, refund.failure_reason) == ("failed", "lost_or_stolen_card")
    assert (await charge_of(buyer, invoice)).amount_refunded == 0
    assert {"refund.failed", "refund.updated", "charge.refund.updated"} <= set(receiver.types())


async def test_some_refunds_are_pending_before_they_succeed(
    client: stripe.StripeClient, control: StripeControl
) -> None:
    buyer = await buyer_with("pm_card_pendingRefund", client=client)
    invoice = await buyer.paid_invoice()

    refund = await buyer.api.refunds.create_async({"payment_intent": intent_of(invoice)})
    assert refund.status == "pending"
    assert await control.quiet()

    assert (await buyer.api.refunds.retrieve_async(refund.id)).status == "succeeded"


async def test_the_bank_can_be_made_to_fail_any_refund(buyer: Buyer, control: StripeControl) -> None:
    invoice = await buyer.paid_invoice()
    refund = await control.refund_as_dashboard(invoice=invoice.id, amount=900)

    await control.settle_refund(refund["id"], status="failed")

    assert (await charge_of(buyer, invoice)).amount_refunded == 0


async def test_the_sums_count_what_was_captured_and_not_failed_to_return(buyer: Buyer, control: StripeControl) -> None:
    first, second = await buyer.paid_invoice(), await buyer.paid_invoice()
    await control.refund_as_dashboard(invoice=first.id)
    failed = await control.refund_as_dashboard(payment_intent=intent_of(second), amount=500)
    await control.settle_refund(failed["id"], status="failed")

    sums = await control.sums()

    expected = {"eur": {"captured": 2 * EUR_499, "refunded": EUR_499, "payments": 2, "refunds": 1}}
    assert expected == sums["customers"][buyer.customer] == sums["total"]
