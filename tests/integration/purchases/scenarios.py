"""What can happen to one purchase at Stripe: told by Stripe's own events, to be heard in any order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.stripe_facts import StripeFact
from purchases.every_table import METADATA
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.bundles import given_a_bundle, invoice_of
from tests.integration.purchases.harness import INSTANCE, Json, World
from tests.stack.postgres import emptying

LEGACY: Final = "2024-06-20"
"""A version from before 2025-03-31.basil."""
VERSIONS: Final = (None, LEGACY)


@dataclass(frozen=True, kw_only=True)
class Story:
    """Purchases that stood at `start` when Stripe began to tell, what it told, and how they must end."""

    name: str
    purchases: Sequence[Purchase]
    start: Status
    ends: Sequence[Status]
    parked: int
    """How many facts only staff can do something about."""
    facts: Mapping[str | None, Sequence[StripeFact]]
    objects: Json
    """Stripe's, when it was over."""


@dataclass(frozen=True, kw_only=True)
class Tale:
    """What a teller says of a story."""

    purchases: Sequence[Purchase]
    ends: Sequence[Status]
    start: Status = Status.PENDING
    parked: int = 0


def of_one(purchase: Purchase, end: Status, *, start: Status = Status.PENDING) -> Tale:
    return Tale(purchases=[purchase], ends=[end], start=start)


async def paid(world: World) -> Tale:
    return of_one(await world.given_a_purchase(), Status.PAID)


async def declined(world: World) -> Tale:
    purchase = await world.given_a_purchase("pm_card_chargeCustomerFail")
    await world.settle_everything()
    return of_one(purchase, Status.FAILED)


async def authenticated(world: World) -> Tale:
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.control.authenticate(str(purchase.stripe_payment_intent_id))
    return of_one(purchase, Status.PAID)


async def never_authenticated(world: World) -> Tale:
    """The invoice is voided by somebody in the Dashboard."""
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))
    return of_one(purchase, Status.FAILED)


async def refunded_in_parts(world: World) -> Tale:
    purchase = await world.given_a_purchase()
    for amount in (20_000, 29_900):
        await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=amount)
    return of_one(purchase, Status.REFUNDED)


async def refunded_in_part(world: World) -> Tale:
    purchase = await world.given_a_purchase()
    await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=100)
    return of_one(purchase, Status.PAID)


async def refund_failed(world: World) -> Tale:
    purchase = await world.given_a_purchase("pm_card_refundFail")
    refund = await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await world.control.settle_refund(refund["id"], status="failed")
    return of_one(purchase, Status.PAID)


async def refund_failed_then_made_again(world: World) -> Tale:
    (purchase,) = (await refund_failed(world)).purchases
    await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    return of_one(purchase, Status.REFUNDED)


async def refund_came_through_late(world: World) -> Tale:
    purchase = await world.given_a_purchase("pm_card_pendingRefund")
    refund = await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await world.control.settle_refund(refund["id"], status="succeeded")
    return of_one(purchase, Status.REFUNDED)


async def _paid_in_parts(world: World) -> tuple[Purchase, list[Json]]:
    """By two charges, neither of which is that of the intent that the invoice was made with."""
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    for amount in (20_000, 29_900):
        await world.control.pay_part(str(purchase.stripe_invoice_id), amount=amount)
    charges = (await world.control.objects(kind="charge"))["charge"]
    return purchase, [one for one in charges if one["customer"] == purchase.stripe_customer_id]


async def paid_in_parts(world: World) -> Tale:
    return of_one((await _paid_in_parts(world))[0], Status.PAID)


async def paid_in_parts_and_one_refunded(world: World) -> Tale:
    purchase, charges = await _paid_in_parts(world)
    await world.control.refund_as_dashboard(charge=charges[0]["id"])
    return of_one(purchase, Status.PAID)


async def paid_in_parts_and_all_refunded(world: World) -> Tale:
    purchase, charges = await _paid_in_parts(world)
    for charge in reversed(charges):
        await world.control.refund_as_dashboard(charge=charge["id"])
    return of_one(purchase, Status.REFUNDED)


async def paid_in_parts_and_one_lost(world: World) -> Tale:
    purchase, charges = await _paid_in_parts(world)
    dispute = await world.control.open_dispute(charge=charges[1]["id"])
    await world.control.close_dispute(dispute["id"], status="lost")
    return of_one(purchase, Status.PAID)


async def paid_after_it_was_cancelled(world: World) -> Tale:
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.control.authenticate(str(purchase.stripe_payment_intent_id))
    await world.put(purchase, Status.CANCELLED)
    await world.tell(*await world.facts())
    await world.settle_everything()
    return of_one(purchase, Status.CANCELLED, start=Status.CANCELLED)


async def declined_by_the_customer(world: World) -> Tale:
    """The customer says no at the bank."""
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.control.fail_authentication(str(purchase.stripe_payment_intent_id))
    await world.settle_everything()
    return of_one(purchase, Status.FAILED)


async def _pay_by_another_card(world: World, purchase: Purchase) -> None:
    card = await world.client.v1.payment_methods.attach_async(
        "pm_card_visa", {"customer": str(purchase.stripe_customer_id)}
    )
    await world.client.v1.invoices.pay_async(str(purchase.stripe_invoice_id), {"payment_method": card.id})


async def paid_after_a_refusal(world: World) -> Tale:
    """The bank says no, and the customer pays by another card all the same."""
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.control.fail_authentication(str(purchase.stripe_payment_intent_id))
    await _pay_by_another_card(world, purchase)
    return of_one(purchase, Status.PAID)


async def draft_deleted(world: World) -> Tale:
    """Somebody deletes the draft in the Dashboard, after the buying request has died."""
    await world.control.fault("close_before", operation="invoices.finalize", times=1)
    purchase = await world.given_a_purchase()
    await world.client.v1.invoices.delete_async(str(purchase.stripe_invoice_id))
    return of_one(purchase, Status.FAILED)


async def given_up(world: World) -> Tale:
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.client.v1.invoices.mark_uncollectible_async(str(purchase.stripe_invoice_id))
    await world.tell(*await world.facts())
    await world.settle_everything()
    return of_one(purchase, Status.FAILED)


async def given_up_and_paid_all_the_same(world: World) -> Tale:
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.client.v1.invoices.mark_uncollectible_async(str(purchase.stripe_invoice_id))
    await _pay_by_another_card(world, purchase)
    return of_one(purchase, Status.PAID)


async def disputed(world: World, end: str | None, *, refund: int = 0) -> Purchase:
    purchase = await world.given_a_purchase()
    if refund:
        await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=refund)
    inquiry = end == "warning_closed"
    dispute = await world.control.open_dispute(invoice=purchase.stripe_invoice_id, inquiry=inquiry)
    if end is not None:
        await world.control.close_dispute(dispute["id"], status=end)
    return purchase


async def dispute_open(world: World) -> Tale:
    return of_one(await disputed(world, None), Status.PAID)


async def dispute_won(world: World) -> Tale:
    return of_one(await disputed(world, "won"), Status.PAID)


async def dispute_lost(world: World) -> Tale:
    return of_one(await disputed(world, "lost"), Status.REFUNDED)


async def dispute_lost_of_what_a_refund_left(world: World) -> Tale:
    return of_one(await disputed(world, "lost", refund=20_000), Status.REFUNDED)


async def only_asked_about(world: World) -> Tale:
    return of_one(await disputed(world, "warning_closed"), Status.PAID)


async def bundle_paid(world: World) -> Tale:
    return Tale(purchases=await given_a_bundle(world), ends=[Status.PAID] * 2)


async def bundle_refunded(world: World) -> Tale:
    purchases = await given_a_bundle(world)
    await world.control.refund_as_dashboard(invoice=await invoice_of(world))
    return Tale(purchases=purchases, ends=[Status.REFUNDED] * 2)


async def bundle_refund_failed(world: World) -> Tale:
    purchases = await given_a_bundle(world, card="refundFail")
    refund = await world.control.refund_as_dashboard(invoice=await invoice_of(world))
    await world.control.settle_refund(refund["id"], status="failed")
    return Tale(purchases=purchases, ends=[Status.PAID] * 2)


async def _refund_one(world: World, purchase: Purchase) -> None:
    metadata = {"quittance_instance": INSTANCE, "purchase_id": str(purchase.id)}
    invoice = await invoice_of(world)
    await world.control.refund_as_dashboard(invoice=invoice, amount=purchase.price_cents, metadata=metadata)


async def bundle_refunded_for_one(world: World) -> Tale:
    purchases = await given_a_bundle(world)
    await _refund_one(world, purchases[0])
    return Tale(purchases=purchases, ends=[Status.REFUNDED, Status.PAID])


async def bundle_refunded_for_one_and_then_wholly(world: World) -> Tale:
    purchases = await given_a_bundle(world)
    await _refund_one(world, purchases[1])
    await world.control.refund_as_dashboard(invoice=await invoice_of(world))
    return Tale(purchases=purchases, ends=[Status.REFUNDED] * 2)


async def bundle_refunded_in_part_for_nobody(world: World) -> Tale:
    purchases = await given_a_bundle(world)
    await world.control.refund_as_dashboard(invoice=await invoice_of(world), amount=700)
    return Tale(purchases=purchases, ends=[Status.PAID] * 2, parked=1)


async def bundle_dispute_lost(world: World) -> Tale:
    purchases = await given_a_bundle(world)
    dispute = await world.control.open_dispute(invoice=await invoice_of(world))
    await world.control.close_dispute(dispute["id"], status="lost")
    return Tale(purchases=purchases, ends=[Status.REFUNDED] * 2)


Teller = Callable[[World], Awaitable[Tale]]

STORIES: Final[Sequence[Teller]] = (
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


async def told(world: World, teller: Teller) -> Story:
    """Let it happen at Stripe, and keep what Stripe told of it."""
    await world.execute(emptying(METADATA.tables))
    world.since = len(await world.control.events())
    tale = await teller(world)
    rows = [await world.purchase(purchase.id) for purchase in tale.purchases]
    return Story(
        name=teller.__name__,
        purchases=rows,
        start=tale.start,
        ends=tale.ends,
        parked=tale.parked,
        facts={version: await world.facts(version=version) for version in VERSIONS},
        objects=await world.control.objects(),
    )
