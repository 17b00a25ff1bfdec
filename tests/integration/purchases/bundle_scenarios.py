"""Scenarios of two add-ons that are paid for together."""

from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.bundles import given_a_bundle, invoice_of
from tests.integration.purchases.harness import INSTANCE, Harness
from tests.integration.purchases.outcomes import Outcome


async def bundle_paid(harness: Harness) -> Outcome:
    return Outcome(purchases=await given_a_bundle(harness), ends=[Status.PAID] * 2)


async def bundle_refunded(harness: Harness) -> Outcome:
    purchases = await given_a_bundle(harness)
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness))
    return Outcome(purchases=purchases, ends=[Status.REFUNDED] * 2)


async def bundle_refund_failed(harness: Harness) -> Outcome:
    purchases = await given_a_bundle(harness, card="refundFail")
    refund = await harness.control.refund_as_dashboard(invoice=await invoice_of(harness))
    await harness.control.settle_refund(refund["id"], status="failed")
    return Outcome(purchases=purchases, ends=[Status.PAID] * 2)


async def _refund_one(harness: Harness, purchase: Purchase) -> None:
    metadata = {"quittance_instance": INSTANCE, "purchase_id": str(purchase.id)}
    invoice = await invoice_of(harness)
    await harness.control.refund_as_dashboard(invoice=invoice, amount=purchase.price_cents, metadata=metadata)


async def bundle_refunded_for_one(harness: Harness) -> Outcome:
    purchases = await given_a_bundle(harness)
    await _refund_one(harness, purchases[0])
    return Outcome(purchases=purchases, ends=[Status.REFUNDED, Status.PAID])


async def bundle_refunded_for_one_and_then_wholly(harness: Harness) -> Outcome:
    purchases = await given_a_bundle(harness)
    await _refund_one(harness, purchases[1])
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness))
    return Outcome(purchases=purchases, ends=[Status.REFUNDED] * 2)


async def bundle_refunded_in_part_for_nobody(harness: Harness) -> Outcome:
    purchases = await given_a_bundle(harness)
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=700)
    return Outcome(purchases=purchases, ends=[Status.PAID] * 2, parked=1)


async def bundle_dispute_lost(harness: Harness) -> Outcome:
    purchases = await given_a_bundle(harness)
    dispute = await harness.control.open_dispute(invoice=await invoice_of(harness))
    await harness.control.close_dispute(dispute["id"], status="lost")
    return Outcome(purchases=purchases, ends=[Status.REFUNDED] * 2)
