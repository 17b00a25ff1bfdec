"""A dispute is recorded and published once each; a lost one counts, in whatever order its facts come."""

import uuid
from typing import Any

import pytest

from contracts.purchase_facts import (
    DisputeClosed,
    DisputeOpened,
    MoneyBackParked,
    PurchaseRefunded,
    PurchaseRestored,
    RefundIssued,
)
from contracts.stripe_facts import DisputeChanged, InvoicePaid, StripeFact
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.bundles import given_a_bundle, invoice_of
from tests.integration.purchases.harness import PRICE, Harness


async def disputed(harness: Harness, end: str | None, **more: Any) -> tuple[Purchase, list[StripeFact]]:
    purchase = await harness.given_a_purchase()
    dispute = await harness.control.open_dispute(invoice=purchase.stripe_invoice_id, **more)
    if end:
        await harness.control.close_dispute(dispute["id"], status=end)
    return purchase, [fact for fact in await harness.facts() if isinstance(fact, DisputeChanged)]


def changed(fact: StripeFact, **changes: Any) -> StripeFact:
    return fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}"} | changes)


async def test_a_dispute_is_published_when_it_opens_and_when_it_is_lost(harness: Harness) -> None:
    purchase, facts = await disputed(harness, "lost")

    await harness.deliver(*facts)
    await harness.deliver(*[changed(fact) for fact in facts])

    row = await harness.purchase(purchase.id)
    assert (row.status, [(one.kind, one.status, one.refund_cents) for one in row.refunds]) == (
        Status.REFUNDED,
        [("dispute", "succeeded", PRICE)],
    )
    (opened,) = await harness.published(kind=DisputeOpened)
    (closed,) = await harness.published(kind=DisputeClosed)
    assert (opened["dispute_cents"], opened["dispute_reason"], closed["outcome"]) == (PRICE, "fraudulent", "lost")
    assert opened["evidence_due_at"] is not None
    assert len(await harness.published(kind=PurchaseRefunded)) == 1
    assert await harness.published(kind=RefundIssued) == []
    (kept,) = await harness.rows("select * from purchase_disputes")
    assert (kept["status"], kept["stripe_invoice_id"]) == ("lost", purchase.stripe_invoice_id)
    assert kept["opened_at"] <= kept["closed_at"]


@pytest.mark.parametrize("end", ["won", "warning_closed"])
async def test_a_dispute_that_costs_nothing_moves_nothing(harness: Harness, end: str) -> None:
    purchase, facts = await disputed(harness, end, inquiry=end == "warning_closed")

    await harness.deliver(*facts)

    row = await harness.purchase(purchase.id)
    assert (row.status, row.refunds) == (Status.PAID, [])
    assert [one["outcome"] for one in await harness.published(kind=DisputeClosed)] == [end]


async def test_its_end_heard_first_is_published_alone(harness: Harness) -> None:
    _, facts = await disputed(harness, "lost")

    for fact in reversed(facts):
        await harness.deliver(fact)

    assert await harness.published(kind=DisputeOpened) == []
    assert len(await harness.published(kind=DisputeClosed)) == 1


@pytest.mark.parametrize("late_first", [True, False])
async def test_one_that_is_won_after_it_was_lost_gives_the_money_back(harness: Harness, late_first: bool) -> None:
    purchase, facts = await disputed(harness, "lost")
    won = changed(facts[-1], status="won")

    for fact in [won, *facts] if late_first else [*facts, won]:
        await harness.deliver(fact)

    row = await harness.purchase(purchase.id)
    assert (row.status, row.refunded_at) == (Status.PAID, None)
    assert [one.status for one in row.refunds] in ([], ["canceled"])
    assert len(await harness.published(kind=PurchaseRestored)) == (0 if late_first else 1)
    assert [one["outcome"] for one in await harness.published(kind=DisputeClosed)] == (
        ["won"] if late_first else ["lost", "won"]
    )


async def test_a_dispute_before_its_payment_waits_for_it(harness: Harness) -> None:
    purchase, facts = await disputed(harness, "lost")
    paid = [fact for fact in await harness.facts() if isinstance(fact, InvoicePaid)]
    await harness.put(purchase, Status.PENDING)

    await harness.deliver(*facts)
    assert len(await harness.parked()) == len(facts)
    await harness.deliver(*paid)
    await harness.settle_everything()

    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED
    assert await harness.parked() == []


async def test_refunds_and_a_lost_dispute_never_exceed_what_was_paid(harness: Harness) -> None:
    """Banks may name the whole charge though a part went back before."""
    purchase, facts = await disputed(harness, "lost", amount=29_900)
    await harness.deliver(*[changed(fact, amount=PRICE) for fact in facts])
    refund = {"stripe_refund_id": "re_x", "cents": 20_000}
    await harness.execute(
        """insert into purchase_refunds (id, purchase_id, stripe_refund_id, kind, refund_cents, currency, status,
            stripe_invoice_id, recorded_at, updated_at)
        select gen_random_uuid(), id, :stripe_refund_id, 'refund', :cents, 'EUR', 'succeeded', stripe_invoice_id,
            now(), now() from workspace_addon_purchases""",
        **refund,
    )
    await harness.deliver(*[changed(fact, amount=PRICE, status="won") for fact in facts[-1:]])
    await harness.deliver(*[changed(fact, amount=PRICE) for fact in facts])

    published = await harness.published()
    assert max(one.get("refunded_cents") or 0 for one in published) <= PRICE
    assert (await harness.purchase(purchase.id)).status is Status.PAID


async def test_a_dispute_in_another_currency_is_parked(harness: Harness) -> None:
    _, facts = await disputed(harness, "lost")

    await harness.deliver(*[changed(fact, currency="usd") for fact in facts])

    assert {one["reason"] for one in await harness.parked()} == {
        "a dispute in USD, which is not the payment's currency"
    }
    assert await harness.rows("select 1 from purchase_disputes") == []
    (published,) = await harness.published(kind=MoneyBackParked)
    assert [published["stripe_dispute_id"]] * len(facts) == [fact.object_id for fact in facts]
    assert (published["money_back_currency"], published["status"]) == ("USD", "paid")


async def test_a_strangers_dispute_is_left_alone(harness: Harness) -> None:
    _, facts = await disputed(harness, None)

    await harness.deliver(*[changed(fact, payment_intent_id="pi_other", charge_id="ch_other") for fact in facts])
    await harness.settle_everything()

    assert await harness.parked() == []
    assert await harness.published(kind=DisputeOpened) == []


async def test_a_lost_dispute_of_part_of_a_bundles_charge_is_for_staff_to_allocate(harness: Harness) -> None:
    purchases = await given_a_bundle(harness)
    dispute = await harness.control.open_dispute(invoice=await invoice_of(harness), amount=700)
    await harness.control.close_dispute(dispute["id"], status="lost")

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert {(await harness.purchase(one.id)).status for one in purchases} == {Status.PAID}
    assert [one["waits_for"] for one in await harness.parked()] == [f"refund:{dispute['id']}"]
