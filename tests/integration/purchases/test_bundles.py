"""A bundle is found by session, by its first invoice's subscription, by invoice, by metadata, and paid by its lines."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from chassis.problems import Problem
from contracts.purchase_facts import PurchasePaid, RefundIssued
from contracts.stripe_facts import InvoicePaid, RefundChanged, StripeFact
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.parked.allocate import allocate
from tests.integration.purchases.bundles import PLAN_CENTS, given_a_bundle, given_a_signup, invoice_of
from tests.integration.purchases.harness import World
from tests.integration.purchases.scenarios import LEGACY

CENTS = sorted([10_000, 49_900])
WHOLE = sum(CENTS) + PLAN_CENTS


def another(fact: StripeFact, **changes: Any) -> StripeFact:
    """Another event, that says something else."""
    return fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}"} | changes)


async def paid_facts(world: World, *, version: str | None = None) -> list[InvoicePaid]:
    return [fact for fact in await world.facts(version=version) if isinstance(fact, InvoicePaid)]


def nameless(fact: InvoicePaid, **changes: Any) -> StripeFact:
    """An invoice that says nothing of ours: its purchases are known by another id."""
    lines = tuple(line.model_copy(update={"purchase_id": None}) for line in fact.lines)
    none = {"purchase_id": None, "purchase_ids": (), "quittance_instance": None, "workspace_id": None, "lines": lines}
    return another(fact, **none | changes)


async def statuses(world: World, purchases: Sequence[Purchase]) -> set[Status]:
    return {(await world.purchase(purchase.id)).status for purchase in purchases}


async def stamp(world: World, column: str, value: str | None) -> None:
    """What another event stored on the rows."""
    await world.execute(f"update workspace_addon_purchases set {column} = :value", value=value)


@pytest.mark.parametrize("version", [None, LEGACY])
async def test_one_invoice_pays_each_purchase_that_a_line_of_it_pays(world: World, version: str | None) -> None:
    purchases = await given_a_bundle(world)

    await world.tell(*await paid_facts(world, version=version))
    await world.settle_everything()

    rows = [await world.purchase(purchase.id) for purchase in purchases]
    assert {(row.status, row.payable) for row in rows} == {(Status.PAID, False)}
    assert sorted(row.paid_cents or 0 for row in rows) == CENTS
    assert {(one.invoice_paid_cents, one.shared) for row in rows for one in row.payments} == {(WHOLE, True)}
    assert len(await world.told(kind=PurchasePaid)) == 2
    assert await world.parked() == []


async def test_by_the_session_alone(world: World) -> None:
    purchases = await given_a_bundle(world)
    (fact, *_) = await paid_facts(world)

    await world.tell(nameless(fact, checkout_session_id=purchases[0].stripe_checkout_session_id))
    await world.settle_everything()

    assert await statuses(world, purchases) == {Status.PAID}


async def test_by_the_subscription_alone_also_when_it_is_stored_later(world: World) -> None:
    purchases = await given_a_bundle(world)
    (fact, *_) = await paid_facts(world)

    await world.tell(nameless(fact))
    assert await statuses(world, purchases) == {Status.PENDING}
    assert [one["waits_for"] for one in await world.parked()] == [fact.subscription_id]
    await stamp(world, "stripe_subscription_id", fact.subscription_id)
    await world.retry_parked()
    await world.settle_everything()

    assert await statuses(world, purchases) == {Status.PAID}
    assert await world.parked() == []


async def test_by_the_invoice_alone(world: World) -> None:
    purchases = await given_a_bundle(world)
    (fact, *_) = await paid_facts(world)
    await stamp(world, "stripe_invoice_id", fact.invoice_id)

    await world.tell(nameless(fact))

    assert await statuses(world, purchases) == {Status.PAID}


async def test_a_renewal_never_pays_an_old_bundle(world: World) -> None:
    """It repeats the subscription's metadata, and may even have lines of the same price."""
    purchases = await given_a_bundle(world)
    (fact, *_) = await paid_facts(world)
    await stamp(world, "stripe_subscription_id", fact.subscription_id)
    await world.execute("update workspace_addon_purchases set status = 'failed', payable = false, failed_at = now()")

    await world.tell(
        another(fact, invoice_id="in_renewal", object_id="in_renewal", billing_reason="subscription_cycle")
    )
    await world.settle_everything()

    assert await statuses(world, purchases) == {Status.FAILED}
    assert await world.parked() == []
    assert await world.rows("select 1 from purchase_payments") == []


async def test_a_purchase_without_a_line_in_the_first_invoice_is_not_paid_by_it(world: World) -> None:
    purchases = await given_a_bundle(world)
    (fact, *_) = await paid_facts(world)
    await stamp(world, "stripe_invoice_id", fact.invoice_id)
    others = tuple(line for line in fact.lines if line.price_id != purchases[0].stripe_price_id)

    await world.tell(another(fact, lines=others))

    assert [(await world.purchase(one.id)).status for one in purchases] == [Status.PENDING, Status.PAID]


async def test_a_line_with_another_amount_is_parked_and_the_other_purchase_is_paid(world: World) -> None:
    purchases = await given_a_bundle(world)
    (fact, *_) = await paid_facts(world)
    await stamp(world, "stripe_invoice_id", fact.invoice_id)
    lines = [
        line.model_copy(update={"amount": 1}) for line in fact.lines if line.price_id == purchases[0].stripe_price_id
    ]
    rest = [line for line in fact.lines if line.price_id != purchases[0].stripe_price_id]

    await world.tell(another(fact, lines=(*lines, *rest)))

    assert [(await world.purchase(one.id)).status for one in purchases] == [Status.PENDING, Status.PAID]
    assert len(await world.parked()) == 1


async def refunded_in_part(world: World, amount: int = 700) -> Sequence[Purchase]:
    """A paid bundle, and a refund that names nobody, parked."""
    purchases = await given_a_bundle(world)
    await world.control.refund_as_dashboard(invoice=await invoice_of(world), amount=amount)
    await world.tell(*await world.facts())
    await world.settle_everything()
    return purchases


@pytest.mark.parametrize("amounts", [(None,), (10_000, None)], ids=["at once", "in parts"])
async def test_what_went_back_before_all_was_known_that_it_paid_falls_on_all(
    world: World, amounts: tuple[int | None, ...]
) -> None:
    purchases = await given_a_bundle(world)
    for amount in amounts:
        await world.control.refund_as_dashboard(invoice=await invoice_of(world), amount=amount)
    (paid, *_) = await paid_facts(world)
    others = [fact for fact in await world.facts() if not isinstance(fact, InvoicePaid)]

    await world.tell(
        nameless(paid, subscription_id=None, invoice_id=paid.invoice_id, purchase_ids=(str(purchases[0].id),))
    )
    await world.tell(*[fact for fact in others if isinstance(fact, RefundChanged)])
    await world.settle_everything()
    await world.tell(paid)
    await world.settle_everything()

    assert await statuses(world, purchases) == {Status.REFUNDED}
    assert await world.parked() == []


async def parked_item(world: World) -> str:
    (item,) = await world.parked()
    return f"fact-{item['id']}"


async def give(world: World, item: str, purchase_id: uuid.UUID) -> None:
    async with world.database.transaction() as session:
        await allocate(session=session, item_id=item, purchase_id=purchase_id, actor="staff:amy")


@pytest.mark.parametrize("known", [True, False])
async def test_staff_allocate_a_refund_that_names_nobody_once(world: World, known: bool) -> None:
    """Also where only the charge's sum was told, and the refund was found by looking."""
    purchases = await given_a_bundle(world)
    await world.control.refund_as_dashboard(invoice=await invoice_of(world), amount=700)
    facts = [fact for fact in await world.facts() if known or not isinstance(fact, RefundChanged)]
    await world.tell(*facts)
    await world.settle_everything()
    item = await parked_item(world)

    await give(world, item, purchases[1].id)
    await world.settle_everything()
    await world.tell(*await world.facts())
    await world.settle_everything()

    refunds = [[one.refund_cents for one in (await world.purchase(one.id)).refunds] for one in purchases]
    assert refunds == [[], [700]]
    assert await world.parked() == []
    (told,) = await world.told(kind=RefundIssued)
    assert (told["purchase_id"], told["refund_cents"], told["actor"]) == (str(purchases[1].id), 700, "staff:amy")
    with pytest.raises(Problem, match="not-parked"):
        await give(world, item, purchases[0].id)


async def test_more_than_remains_and_another_charges_purchase_are_refused(world: World) -> None:
    purchases = await refunded_in_part(world, amount=20_000)
    small = next(one for one in purchases if one.price_cents == CENTS[0])
    other = await world.given_a_purchase()
    item = await parked_item(world)

    for purchase_id, reason in [
        (small.id, "refund-too-large"),
        (other.id, "paid-otherwise"),
        (uuid.uuid4(), "purchase-not-found"),
    ]:
        with pytest.raises(Problem, match=reason):
            await give(world, item, purchase_id)

    assert await parked_item(world) == item
    assert await world.told(kind=RefundIssued) == []


async def test_what_waits_for_something_else_is_not_allocated(world: World) -> None:
    purchases = await given_a_bundle(world)
    (fact, *_) = await paid_facts(world)
    await world.tell(nameless(fact))

    with pytest.raises(Problem, match="not-allocatable"):
        await give(world, await parked_item(world), purchases[0].id)


async def test_a_refund_that_fails_before_anybody_allocated_it_waits_no_more(world: World) -> None:
    await given_a_bundle(world, card="refundFail")
    refund = await world.control.refund_as_dashboard(invoice=await invoice_of(world), amount=700)
    await world.tell(*await world.facts())
    await world.control.settle_refund(refund["id"], status="failed")

    await world.tell(*await world.facts())
    await world.settle_everything()

    assert await world.parked() == []
    assert await world.rows("select 1 from purchase_refunds") == []


async def test_a_refund_of_a_subscriptions_charge_that_paid_no_purchase_is_the_workspaces(world: World) -> None:
    await given_a_signup(world)
    await world.control.refund_as_dashboard(invoice=await invoice_of(world), amount=100)

    await world.tell(*await world.facts())
    await world.settle_everything()

    assert [row["refund_cents"] for row in await world.rows("select refund_cents from workspace_refunds")] == [100]
    assert await world.rows("select 1 from purchase_refunds") == []
    assert await world.parked() == []
