"""What can happen to one purchase at Stripe: told by Stripe's own events, to be heard in any order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.stripe_facts import StripeFact
from purchases.domain.transitions import Status
from purchases.store.rows import Purchase
from tests.integration.purchases.world import World

LEGACY: Final = "2024-06-20"
"""A version from before 2025-03-31.basil."""
VERSIONS: Final = (None, LEGACY)


@dataclass(frozen=True, kw_only=True)
class Story:
    """A purchase that stood at `start` when Stripe began to tell, what it told, and how it must end."""

    purchase: Purchase
    start: Status
    end: Status
    facts: Mapping[str | None, Sequence[StripeFact]]


async def paid(world: World) -> tuple[Purchase, Status, Status]:
    return await world.given_a_purchase(), Status.PENDING, Status.PAID


async def declined(world: World) -> tuple[Purchase, Status, Status]:
    purchase = await world.given_a_purchase("pm_card_chargeCustomerFail")
    await world.settle_everything()
    return purchase, Status.PENDING, Status.FAILED


async def authenticated(world: World) -> tuple[Purchase, Status, Status]:
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.control.authenticate(str(purchase.stripe_payment_intent_id))
    return purchase, Status.PENDING, Status.PAID


async def never_authenticated(world: World) -> tuple[Purchase, Status, Status]:
    """The invoice is voided by somebody in the Dashboard."""
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))
    return purchase, Status.PENDING, Status.FAILED


async def refunded_in_parts(world: World) -> tuple[Purchase, Status, Status]:
    purchase = await world.given_a_purchase()
    for amount in (20_000, 29_900):
        await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=amount)
    return purchase, Status.PENDING, Status.REFUNDED


async def refunded_in_part(world: World) -> tuple[Purchase, Status, Status]:
    purchase = await world.given_a_purchase()
    await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=100)
    return purchase, Status.PENDING, Status.PAID


async def refund_failed(world: World) -> tuple[Purchase, Status, Status]:
    purchase = await world.given_a_purchase("pm_card_refundFail")
    refund = await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await world.control.settle_refund(refund["id"], status="failed")
    return purchase, Status.PENDING, Status.PAID


async def refund_failed_then_made_again(world: World) -> tuple[Purchase, Status, Status]:
    purchase, start, _ = await refund_failed(world)
    await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    return purchase, start, Status.REFUNDED


async def refund_came_through_late(world: World) -> tuple[Purchase, Status, Status]:
    purchase = await world.given_a_purchase("pm_card_pendingRefund")
    refund = await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await world.control.settle_refund(refund["id"], status="succeeded")
    return purchase, Status.PENDING, Status.REFUNDED


async def paid_after_it_was_cancelled(world: World) -> tuple[Purchase, Status, Status]:
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.control.authenticate(str(purchase.stripe_payment_intent_id))
    await world.put(purchase, Status.CANCELLED)
    await world.tell(*await world.facts())
    await world.settle_everything()
    return purchase, Status.CANCELLED, Status.CANCELLED


async def declined_by_the_customer(world: World) -> tuple[Purchase, Status, Status]:
    """The customer says no at the bank."""
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.control.fail_authentication(str(purchase.stripe_payment_intent_id))
    await world.settle_everything()
    return purchase, Status.PENDING, Status.FAILED


Teller = Callable[[World], Awaitable[tuple[Purchase, Status, Status]]]

STORIES: Final[Sequence[Teller]] = (
    paid,
    declined,
    authenticated,
    never_authenticated,
    declined_by_the_customer,
    refunded_in_parts,
    refunded_in_part,
    refund_failed,
    refund_failed_then_made_again,
    refund_came_through_late,
    paid_after_it_was_cancelled,
)


async def told(world: World, teller: Teller) -> Story:
    """Let it happen at Stripe, and keep what Stripe told of it."""
    purchase, start, end = await teller(world)
    facts = {version: await world.facts(version=version) for version in VERSIONS}
    return Story(purchase=purchase, start=start, end=end, facts=facts)
