"""What can happen to one purchase at Stripe: reported by Stripe's own events, to be delivered in any order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.stripe_facts import StripeFact
from purchases.every_table import METADATA
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.bundle_scenarios import (
    bundle_dispute_lost,
    bundle_paid,
    bundle_refund_failed,
    bundle_refunded,
    bundle_refunded_for_one,
    bundle_refunded_for_one_and_then_wholly,
    bundle_refunded_in_part_for_nobody,
)
from tests.integration.purchases.harness import Harness, Json
from tests.integration.purchases.outcomes import Outcome, of_one
from tests.stack.postgres import emptying

LEGACY: Final = "2024-06-20"
"""A version from before 2025-03-31.basil."""
VERSIONS: Final = (None, LEGACY)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Purchases that stood at `start` when Stripe began to report, what it reported, and how they must end."""

    name: str
    purchases: Sequence[Purchase]
    start: Status
    ends: Sequence[Status]
    parked: int
    """How many facts only staff can do something about."""
    facts: Mapping[str | None, Sequence[StripeFact]]
    objects: Json
    """Stripe's, when it was over."""


async def paid(harness: Harness) -> Outcome:
    return of_one(await harness.given_a_purchase(), Status.PAID)


async def declined(harness: Harness) -> Outcome:
    purchase = await harness.given_a_purchase("pm_card_chargeCustomerFail")
    await harness.settle_everything()
    return of_one(purchase, Status.FAILED)


async def authenticated(harness: Harness) -> Outcome:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    return of_one(purchase, Status.PAID)


async def never_authenticated(harness: Harness) -> Outcome:
    """The invoice is voided by somebody in the Dashboard."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))
    return of_one(purchase, Status.FAILED)


async def refunded_in_parts(harness: Harness) -> Outcome:
    purchase = await harness.given_a_purchase()
    for amount in (20_000, 29_900):
        await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=amount)
    return of_one(purchase, Status.REFUNDED)


async def refunded_in_part(harness: Harness) -> Outcome:
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=100)
    return of_one(purchase, Status.PAID)


async def refund_failed(harness: Harness) -> Outcome:
    purchase = await harness.given_a_purchase("pm_card_refundFail")
    refund = await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await harness.control.settle_refund(refund["id"], status="failed")
    return of_one(purchase, Status.PAID)


async def refund_failed_then_made_again(harness: Harness) -> Outcome:
    (purchase,) = (await refund_failed(harness)).purchases
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    return of_one(purchase, Status.REFUNDED)


async def refund_came_through_late(harness: Harness) -> Outcome:
    purchase = await harness.given_a_purchase("pm_card_pendingRefund")
    refund = await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await harness.control.settle_refund(refund["id"], status="succeeded")
    return of_one(purchase, Status.REFUNDED)


async def _paid_in_parts(harness: Harness) -> tuple[Purchase, list[Json]]:
    """By two charges, neither of which is that of the intent that the invoice was made with."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    for amount in (20_000, 29_900):
        await harness.control.pay_part(str(purchase.stripe_invoice_id), amount=amount)
    charges = (await harness.control.objects(kind="charge"))["charge"]
    return purchase, [one for one in charges if one["customer"] == purchase.stripe_customer_id]


async def paid_in_parts(harness: Harness) -> Outcome:
    return of_one((await _paid_in_parts(harness))[0], Status.PAID)


async def paid_in_parts_and_one_refunded(harness: Harness) -> Outcome:
    purchase, charges = await _paid_in_parts(harness)
    await harness.control.refund_as_dashboard(charge=charges[0]["id"])
    return of_one(purchase, Status.PAID)


async def paid_in_parts_and_all_refunded(harness: Harness) -> Outcome:
    purchase, charges = await _paid_in_parts(harness)
    for charge in reversed(charges):
        await harness.control.refund_as_dashboard(charge=charge["id"])
    return of_one(purchase, Status.REFUNDED)


async def paid_in_parts_and_one_lost(harness: Harness) -> Outcome:
    purchase, charges = await _paid_in_parts(harness)
    dispute = await harness.control.open_dispute(charge=charges[1]["id"])
    await harness.control.close_dispute(dispute["id"], status="lost")
    return of_one(purchase, Status.PAID)


async def paid_after_it_was_cancelled(harness: Harness) -> Outcome:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    await harness.put(purchase, Status.CANCELLED)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    return of_one(purchase, Status.CANCELLED, start=Status.CANCELLED)


async def declined_by_the_customer(harness: Harness) -> Outcome:
    """The customer says no at the bank."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.control.fail_authentication(str(purchase.stripe_payment_intent_id))
    await harness.settle_everything()
    return of_one(purchase, Status.FAILED)


async def _pay_by_another_card(harness: Harness, purchase: Purchase) -> None:
    card = await harness.client.v1.payment_methods.attach_async(
        "pm_card_visa", {"customer": str(purchase.stripe_customer_id)}
    )
    await harness.client.v1.invoices.pay_async(str(purchase.stripe_invoice_id), {"payment_method": card.id})


async def paid_after_a_refusal(harness: Harness) -> Outcome:
    """The bank says no, and the customer pays by another card all the same."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.control.fail_authentication(str(purchase.stripe_payment_intent_id))
    await _pay_by_another_card(harness, purchase)
    return of_one(purchase, Status.PAID)


async def draft_deleted(harness: Harness) -> Outcome:
    """Somebody deletes the draft in the Dashboard, after the buying request has died."""
    await harness.control.fault("close_before", operation="invoices.finalize", times=1)
    purchase = await harness.given_a_purchase()
    await harness.client.v1.invoices.delete_async(str(purchase.stripe_invoice_id))
    return of_one(purchase, Status.FAILED)


async def given_up(harness: Harness) -> Outcome:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.client.v1.invoices.mark_uncollectible_async(str(purchase.stripe_invoice_id))
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    return of_one(purchase, Status.FAILED)


async def given_up_and_paid_all_the_same(harness: Harness) -> Outcome:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.client.v1.invoices.mark_uncollectible_async(str(purchase.stripe_invoice_id))
    await _pay_by_another_card(harness, purchase)
    return of_one(purchase, Status.PAID)


async def disputed(harness: Harness, end: str | None, *, refund: int = 0) -> Purchase:
    purchase = await harness.given_a_purchase()
    if refund:
        await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=refund)
    inquiry = end == "warning_closed"
    dispute = await harness.control.open_dispute(invoice=purchase.stripe_invoice_id, inquiry=inquiry)
    if end is not None:
        await harness.control.close_dispute(dispute["id"], status=end)
    return purchase


async def dispute_open(harness: Harness) -> Outcome:
    return of_one(await disputed(harness, None), Status.PAID)


async def dispute_won(harness: Harness) -> Outcome:
    return of_one(await disputed(harness, "won"), Status.PAID)


async def dispute_lost(harness: Harness) -> Outcome:
    return of_one(await disputed(harness, "lost"), Status.REFUNDED)


async def dispute_lost_of_what_a_refund_left(harness: Harness) -> Outcome:
    return of_one(await disputed(harness, "lost", refund=20_000), Status.REFUNDED)


async def only_asked_about(harness: Harness) -> Outcome:
    return of_one(await disputed(harness, "warning_closed"), Status.PAID)


Scenario = Callable[[Harness], Awaitable[Outcome]]

SCENARIOS: Final[Sequence[Scenario]] = (
    paid,
    declined,
    authenticated,
    never_authenticated,
    declined_by_the_customer,
    paid_after_a_refusal,
    draft_deleted,
    given_up,
    given_up_and_paid_all_the_same,
    refunded_in_parts,
    refunded_in_part,
    refund_failed,
    refund_failed_then_made_again,
    refund_came_through_late,
    paid_in_parts,
    paid_in_parts_and_one_refunded,
    paid_in_parts_and_all_refunded,
    paid_in_parts_and_one_lost,
    paid_after_it_was_cancelled,
    dispute_open,
    dispute_won,
    dispute_lost,
    dispute_lost_of_what_a_refund_left,
    only_asked_about,
    bundle_paid,
    bundle_refunded,
    bundle_refund_failed,
    bundle_refunded_for_one,
    bundle_refunded_for_one_and_then_wholly,
    bundle_refunded_in_part_for_nobody,
    bundle_dispute_lost,
)


async def record(harness: Harness, scenario: Scenario) -> Recording:
    """Let it happen at Stripe, and keep what Stripe sent of it."""
    await harness.execute(emptying(METADATA.tables))
    harness.since = len(await harness.control.events())
    outcome = await scenario(harness)
    rows = [await harness.purchase(purchase.id) for purchase in outcome.purchases]
    return Recording(
        name=scenario.__name__,
        purchases=rows,
        start=outcome.start,
        ends=outcome.ends,
        parked=outcome.parked,
        facts={version: await harness.facts(version=version) for version in VERSIONS},
        objects=await harness.control.objects(),
    )
