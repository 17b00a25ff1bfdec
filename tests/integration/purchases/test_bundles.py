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
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.scenarios import LEGACY

CENTS = sorted([10_000, 49_900])
WHOLE = sum(CENTS) + PLAN_CENTS


def another(fact: StripeFact, **changes: Any) -> StripeFact:
    """Another event, that says something else."""
    return fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}"} | changes)


async def paid_facts(harness: Harness, *, version: str | None = None) -> list[InvoicePaid]:
    return [fact for fact in await harness.facts(version=version) if isinstance(fact, InvoicePaid)]


def nameless(fact: InvoicePaid, **changes: Any) -> StripeFact:
    """An invoice that says nothing of ours: its purchases are known by another id."""
    lines = tuple(line.model_copy(update={"purchase_id": None}) for line in fact.lines)
    none = {"purchase_id": None, "purchase_ids": (), "quittance_instance": None, "workspace_id": None, "lines": lines}
    return another(fact, **none | changes)


async def statuses(harness: Harness, purchases: Sequence[Purchase]) -> set[Status]:
    return {(await harness.purchase(purchase.id)).status for purchase in purchases}


async def stamp(harness: Harness, column: str, value: str | None) -> None:
    """What another event stored on the rows."""
    await harness.execute(f"update workspace_addon_purchases set {column} = :value", value=value)


@pytest.mark.parametrize("version", [None, LEGACY])
async def test_one_invoice_pays_each_purchase_that_a_line_of_it_pays(harness: Harness, version: str | None) -> None:
    purchases = await given_a_bundle(harness)

    await harness.deliver(*await paid_facts(harness, version=version))
    await harness.settle_everything()

    rows = [await harness.purchase(purchase.id) for purchase in purchases]
    assert {(row.status, row.payable) for row in rows} == {(Status.PAID, False)}
    assert sorted(row.paid_cents or 0 for row in rows) == CENTS
    assert {(one.invoice_paid_cents, one.shared) for row in rows for one in row.payments} == {(WHOLE, True)}
    assert len(await harness.published(kind=PurchasePaid)) == 2
    assert await harness.parked() == []


async def test_by_the_session_alone(harness: Harness) -> None:
    purchases = await given_a_bundle(harness)
    (fact, *_) = await paid_facts(harness)

    await harness.deliver(nameless(fact, checkout_session_id=purchases[0].stripe_checkout_session_id))
    await harness.settle_everything()

    assert await statuses(harness, purchases) == {Status.PAID}


async def test_by_the_subscription_alone_also_when_it_is_stored_later(harness: Harness) -> None:
    purchases = await given_a_bundle(harness)
    (fact, *_) = await paid_facts(harness)

    await harness.deliver(nameless(fact))
    assert await statuses(harness, purchases) == {Status.PENDING}
    assert [one["waits_for"] for one in await harness.parked()] == [fact.subscription_id]
    await stamp(harness, "stripe_subscription_id", fact.subscription_id)
    await harness.retry_parked()
    await harness.settle_everything()

    assert await statuses(harness, purchases) == {Status.PAID}
    assert await harness.parked() == []


async def test_by_the_invoice_alone(harness: Harness) -> None:
    purchases = await given_a_bundle(harness)
    (fact, *_) = await paid_facts(harness)
    await stamp(harness, "stripe_invoice_id", fact.invoice_id)

    await harness.deliver(nameless(fact))

    assert await statuses(harness, purchases) == {Status.PAID}


async def test_a_renewal_never_pays_an_old_bundle(harness: Harness) -> None:
    """It repeats the subscription's metadata, and may even have lines of the same price."""
    purchases = await given_a_bundle(harness)
    (fact, *_) = await paid_facts(harness)
    await stamp(harness, "stripe_subscription_id", fact.subscription_id)
    await harness.execute("update workspace_addon_purchases set status = 'failed', payable = false, failed_at = now()")

    await harness.deliver(
        another(fact, invoice_id="in_renewal", object_id="in_renewal", billing_reason="subscription_cycle")
    )
    await harness.settle_everything()

    assert await statuses(harness, purchases) == {Status.FAILED}
    assert await harness.parked() == []
    assert await harness.rows("select 1 from purchase_payments") == []


async def test_a_purchase_without_a_line_in_the_first_invoice_is_not_paid_by_it(harness: Harness) -> None:
    purchases = await given_a_bundle(harness)
    (fact, *_) = await paid_facts(harness)
    await stamp(harness, "stripe_invoice_id", fact.invoice_id)
    others = tuple(line for line in fact.lines if line.price_id != purchases[0].stripe_price_id)

    await harness.deliver(another(fact, lines=others))

    assert [(await harness.purchase(one.id)).status for one in purchases] == [Status.PENDING, Status.PAID]


async def test_a_line_with_another_amount_is_parked_and_the_other_purchase_is_paid(harness: Harness) -> None:
    purchases = await given_a_bundle(harness)
    (fact, *_) = await paid_facts(harness)
    await stamp(harness, "stripe_invoice_id", fact.invoice_id)
    lines = [
        line.model_copy(update={"amount": 1}) for line in fact.lines if line.price_id == purchases[0].stripe_price_id
    ]
    rest = [line for line in fact.lines if line.price_id != purchases[0].stripe_price_id]

    await harness.deliver(another(fact, lines=(*lines, *rest)))

    assert [(await harness.purchase(one.id)).status for one in purchases] == [Status.PENDING, Status.PAID]
    assert len(await harness.parked()) == 1


async def refunded_in_part(harness: Harness, amount: int = 700) -> Sequence[Purchase]:
    """A paid bundle, and a refund that names nobody, parked."""
    purchases = await given_a_bundle(harness)
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=amount)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    return purchases


@pytest.mark.parametrize("amounts", [(None,), (10_000, None)], ids=["at once", "in parts"])
async def test_what_went_back_before_all_was_known_that_it_paid_falls_on_all(
    harness: Harness, amounts: tuple[int | None, ...]
) -> None:
    purchases = await given_a_bundle(harness)
    for amount in amounts:
        await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=amount)
    (paid, *_) = await paid_facts(harness)
    others = [fact for fact in await harness.facts() if not isinstance(fact, InvoicePaid)]

    await harness.deliver(
        nameless(paid, subscription_id=None, invoice_id=paid.invoice_id, purchase_ids=(str(purchases[0].id),))
    )
    await harness.deliver(*[fact for fact in others if isinstance(fact, RefundChanged)])
    await harness.settle_everything()
    await harness.deliver(paid)
    await harness.settle_everything()

    assert await statuses(harness, purchases) == {Status.REFUNDED}
    assert await harness.parked() == []


async def parked_item(harness: Harness) -> str:
    (item,) = await harness.parked()
    return f"fact-{item['id']}"


async def give(harness: Harness, item: str, purchase_id: uuid.UUID) -> None:
    async with harness.database.transaction() as session:
        await allocate(session=session, item_id=item, purchase_id=purchase_id, actor="staff:amy")


@pytest.mark.parametrize("known", [True, False])
async def test_staff_allocate_a_refund_that_names_nobody_once(harness: Harness, known: bool) -> None:
    """Also where only the charge's sum was reported, and the refund was fetched."""
    purchases = await given_a_bundle(harness)
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=700)
    facts = [fact for fact in await harness.facts() if known or not isinstance(fact, RefundChanged)]
    await harness.deliver(*facts)
    await harness.settle_everything()
    item = await parked_item(harness)

    await give(harness, item, purchases[1].id)
    await harness.settle_everything()
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    refunds = [[one.refund_cents for one in (await harness.purchase(one.id)).refunds] for one in purchases]
    assert refunds == [[], [700]]
    assert await harness.parked() == []
    (published,) = await harness.published(kind=RefundIssued)
    assert (published["purchase_id"], published["refund_cents"], published["actor"]) == (
        str(purchases[1].id),
        700,
        "staff:amy",
    )
    with pytest.raises(Problem, match="not-parked"):
        await give(harness, item, purchases[0].id)


async def test_more_than_remains_and_another_charges_purchase_are_refused(harness: Harness) -> None:
    purchases = await refunded_in_part(harness, amount=20_000)
    small = next(one for one in purchases if one.price_cents == CENTS[0])
    other = await harness.given_a_purchase()
    item = await parked_item(harness)

    for purchase_id, reason in [
        (small.id, "refund-too-large"),
        (other.id, "paid-otherwise"),
        (uuid.uuid4(), "purchase-not-found"),
    ]:
        with pytest.raises(Problem, match=reason):
            await give(harness, item, purchase_id)

    assert await parked_item(harness) == item
    assert await harness.published(kind=RefundIssued) == []


async def test_what_waits_for_something_else_is_not_allocated(harness: Harness) -> None:
    purchases = await given_a_bundle(harness)
    (fact, *_) = await paid_facts(harness)
    await harness.deliver(nameless(fact))

    with pytest.raises(Problem, match="not-allocatable"):
        await give(harness, await parked_item(harness), purchases[0].id)


async def test_a_refund_that_fails_before_anybody_allocated_it_waits_no_more(harness: Harness) -> None:
    await given_a_bundle(harness, card="refundFail")
    refund = await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=700)
    await harness.deliver(*await harness.facts())
    await harness.control.settle_refund(refund["id"], status="failed")

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert await harness.parked() == []
    assert await harness.rows("select 1 from purchase_refunds") == []


async def test_a_refund_of_a_subscriptions_charge_that_paid_no_purchase_is_the_workspaces(harness: Harness) -> None:
    await given_a_signup(harness)
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=100)

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert [row["refund_cents"] for row in await harness.rows("select refund_cents from workspace_refunds")] == [100]
    assert await harness.rows("select 1 from purchase_refunds") == []
    assert await harness.parked() == []
