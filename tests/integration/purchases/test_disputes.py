"""A dispute is recorded and told once each; a lost one counts, in whatever order its facts come."""

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
from tests.integration.purchases.harness import PRICE, World


async def disputed(world: World, end: str | None, **more: Any) -> tuple[Purchase, list[StripeFact]]:
    purchase = await world.given_a_purchase()
    dispute = await world.control.open_dispute(invoice=purchase.stripe_invoice_id, **more)
    if end:
        await world.control.close_dispute(dispute["id"], status=end)
    return purchase, [fact for fact in await world.facts() if isinstance(fact, DisputeChanged)]


def changed(fact: StripeFact, **changes: Any) -> StripeFact:
    return fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}"} | changes)


async def test_a_dispute_is_told_when_it_opens_and_when_it_is_lost(world: World) -> None:
    purchase, facts = await disputed(world, "lost")

    await world.tell(*facts)
    await world.tell(*[changed(fact) for fact in facts])

    row = await world.purchase(purchase.id)
    assert (row.status, [(one.kind, one.status, one.refund_cents) for one in row.refunds]) == (
        Status.REFUNDED,
        [("dispute", "succeeded", PRICE)],
    )
    (opened,) = await world.told(kind=DisputeOpened)
    (closed,) = await world.told(kind=DisputeClosed)
    assert (opened["dispute_cents"], opened["dispute_reason"], closed["outcome"]) == (PRICE, "fraudulent", "lost")
    assert opened["evidence_due_at"] is not None
    assert len(await world.told(kind=PurchaseRefunded)) == 1
    assert await world.told(kind=RefundIssued) == []
    (kept,) = await world.rows("select * from purchase_disputes")
    assert (kept["status"], kept["stripe_invoice_id"]) == ("lost", purchase.stripe_invoice_id)
    assert kept["opened_at"] <= kept["closed_at"]


@pytest.mark.parametrize("end", ["won", "warning_closed"])
async def test_a_dispute_that_costs_nothing_moves_nothing(world: World, end: str) -> None:
    purchase, facts = await disputed(world, end, inquiry=end == "warning_closed")

    await world.tell(*facts)

    row = await world.purchase(purchase.id)
    assert (row.status, row.refunds) == (Status.PAID, [])
    assert [one["outcome"] for one in await world.told(kind=DisputeClosed)] == [end]


async def test_its_end_heard_first_is_told_alone(world: World) -> None:
    _, facts = await disputed(world, "lost")

    for fact in reversed(facts):
        await world.tell(fact)

    assert await world.told(kind=DisputeOpened) == []
    assert len(await world.told(kind=DisputeClosed)) == 1


@pytest.mark.parametrize("late_first", [True, False])
async def test_one_that_is_won_after_it_was_lost_gives_the_money_back(world: World, late_first: bool) -> None:
    purchase, facts = await disputed(world, "lost")
    won = changed(facts[-1], status="won")

    for fact in [won, *facts] if late_first else [*facts, won]:
        await world.tell(fact)

    row = await world.purchase(purchase.id)
    assert (row.status, row.refunded_at) == (Status.PAID, None)
    assert [one.status for one in row.refunds] in ([], ["canceled"])
    assert len(await world.told(kind=PurchaseRestored)) == (0 if late_first else 1)
    assert [one["outcome"] for one in await world.told(kind=DisputeClosed)] == (
        ["won"] if late_first else ["lost", "won"]
    )


async def test_a_dispute_before_its_payment_waits_for_it(world: World) -> None:
    purchase, facts = await disputed(world, "lost")
    paid = [fact for fact in await world.facts() if isinstance(fact, InvoicePaid)]
    await world.put(purchase, Status.PENDING)

    await world.tell(*facts)
    assert len(await world.parked()) == len(facts)
    await world.tell(*paid)
    await world.settle_everything()

    assert (await world.purchase(purchase.id)).status is Status.REFUNDED
    assert await world.parked() == []


async def test_refunds_and_a_lost_dispute_never_exceed_what_was_paid(world: World) -> None:
    """Banks may name the whole charge though a part went back before."""
    purchase, facts = await disputed(world, "lost", amount=29_900)
    await world.tell(*[changed(fact, amount=PRICE) for fact in facts])
    refund = {"stripe_refund_id": "re_x", "cents": 20_000}
    await world.execute(
        """insert into purchase_refunds (id, purchase_id, stripe_refund_id, kind, refund_cents, currency, status,
            stripe_invoice_id, recorded_at, updated_at)
        select gen_random_uuid(), id, :stripe_refund_id, 'refund', :cents, 'EUR', 'succeeded', stripe_invoice_id,
            now(), now() from workspace_addon_purchases""",
        **refund,
    )
    await world.tell(*[changed(fact, amount=PRICE, status="won") for fact in facts[-1:]])
    await world.tell(*[changed(fact, amount=PRICE) for fact in facts])

    told = await world.told()
    assert max(one.get("refunded_cents") or 0 for one in told) <= PRICE
    assert (await world.purchase(purchase.id)).status is Status.PAID


async def test_a_dispute_in_another_currency_is_parked(world: World) -> None:
    _, facts = await disputed(world, "lost")

    await world.tell(*[changed(fact, currency="usd") for fact in facts])

    assert {one["reason"] for one in await world.parked()} == {"a dispute in USD, which is not the payment's currency"}
    assert await world.rows("select 1 from purchase_disputes") == []
    (told,) = await world.told(kind=MoneyBackParked)
    assert [told["stripe_dispute_id"]] * len(facts) == [fact.object_id for fact in facts]
    assert (told["money_back_currency"], told["status"]) == ("USD", "paid")


async def test_a_strangers_dispute_is_left_alone(world: World) -> None:
    _, facts = await disputed(world, None)

    await world.tell(*[changed(fact, payment_intent_id="pi_other", charge_id="ch_other") for fact in facts])
    await world.settle_everything()

    assert await world.parked() == []
    assert await world.told(kind=DisputeOpened) == []


async def test_a_lost_dispute_of_part_of_a_bundles_charge_is_for_staff_to_allocate(world: World) -> None:
    purchases = await given_a_bundle(world)
    dispute = await world.control.open_dispute(invoice=await invoice_of(world), amount=700)
    await world.control.close_dispute(dispute["id"], status="lost")

    await world.tell(*await world.facts())
    await world.settle_everything()

    assert {(await world.purchase(one.id)).status for one in purchases} == {Status.PAID}
    assert [one["waits_for"] for one in await world.parked()] == [f"refund:{dispute['id']}"]
