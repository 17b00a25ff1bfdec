"""An invoice may be paid in parts: each charge is known, and what goes back of any of them is found."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.problems import Problem
from contracts.purchase_facts import PaymentParked, PaymentReturned, RefundFailed, RefundIssued
from contracts.stripe_facts import ChargeRefunded, DisputeChanged, InvoicePaid, RefundChanged
from purchases.jobs import store as commands
from purchases.ledger.rows import Purchase
from purchases.ledger.settling import PAID_IN_PART
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import PRICE, World
from tests.integration.purchases.moves import ask_for_a_refund, cancel_it, left_of, refunds_of
from tests.integration.purchases.scenarios import VERSIONS

PARTS = (20_000, 29_900)


async def _pending(world: World) -> Purchase:
    return await world.given_a_purchase("pm_card_authenticationRequired")


async def _pay(world: World, purchase: Purchase, *amounts: int) -> list[dict[str, Any]]:
    """Pay parts of its invoice; Stripe's charges, oldest first."""
    for amount in amounts:
        await world.control.pay_part(str(purchase.stripe_invoice_id), amount=amount)
    charges: list[dict[str, Any]] = (await world.control.objects(kind="charge"))["charge"]
    return charges


async def _charges(world: World) -> list[tuple[str, int, int]]:
    rows = await world.rows("select * from purchase_charges where amount_cents > 0 order by amount_cents")
    return [(row["stripe_payment_intent_id"], row["amount_cents"], row["refunded_cents"]) for row in rows]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_payment_is_a_list_of_charges(world: World, version: str | None) -> None:
    purchase = await _pending(world)
    charges = await _pay(world, purchase, *PARTS)

    await world.tell(*await world.facts(version=version))
    await world.settle_everything()

    assert (await world.purchase(purchase.id)).status is Status.PAID
    if version is None:
        # Older versions have no event that names them: they are asked for when something of them is heard.
        assert await _charges(world) == [(one["payment_intent"], one["amount"], 0) for one in charges]
    assert await world.parked() == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("which", [0, 1])
async def test_a_refund_of_any_of_them_is_found(world: World, version: str | None, which: int) -> None:
    purchase = await _pending(world)
    charges = await _pay(world, purchase, *PARTS)
    await world.control.refund_as_dashboard(charge=charges[which]["id"])

    await world.tell(*await world.facts(version=version))
    await world.settle_everything()

    row = await world.purchase(purchase.id)
    assert (row.status, [one.refund_cents for one in row.refunds]) == (Status.PAID, [PARTS[which]])
    assert len(await world.told(kind=RefundIssued)) == 1
    assert (await world.parked(), await left_of(world, purchase)) == ([], PRICE - PARTS[which])
    assert [gone for _, took, gone in await _charges(world) if took == PARTS[which]] == [PARTS[which]]


@pytest.mark.parametrize("version", VERSIONS)
async def test_once_every_one_went_back_the_purchase_is_refunded(world: World, version: str | None) -> None:
    purchase = await _pending(world)
    for charge in await _pay(world, purchase, *PARTS):
        await world.control.refund_as_dashboard(charge=charge["id"])

    await world.tell(*await world.facts(version=version))
    await world.settle_everything()

    assert (await world.purchase(purchase.id)).status is Status.REFUNDED
    assert await _charges(world) == [(one[0], one[1], one[1]) for one in await _charges(world)]


async def test_a_dispute_of_any_of_them_is_found(world: World) -> None:
    purchase = await _pending(world)
    charges = await _pay(world, purchase, *PARTS)
    dispute = await world.control.open_dispute(charge=charges[1]["id"])
    await world.control.close_dispute(dispute["id"], status="lost")
    facts = await world.facts()

    await world.tell(*[fact for fact in facts if isinstance(fact, InvoicePaid)])
    await world.tell(*[fact for fact in facts if isinstance(fact, DisputeChanged)])
    await world.settle_everything()

    row = await world.purchase(purchase.id)
    assert [(one.kind, one.refund_cents) for one in row.refunds] == [("dispute", PARTS[1])]
    assert await world.parked() == []


async def test_a_refund_of_a_charge_never_heard_of_is_asked_about_once(world: World) -> None:
    """Only the paid invoice and the refund came: Stripe lists which charges paid it."""
    purchase = await _pending(world)
    charges = await _pay(world, purchase, *PARTS)
    await world.control.refund_as_dashboard(charge=charges[0]["id"])
    facts = await world.facts()

    await world.tell(*[fact for fact in facts if isinstance(fact, InvoicePaid)])
    await world.tell(*[fact for fact in facts if isinstance(fact, RefundChanged | ChargeRefunded)])
    await world.settle_everything()

    assert [one.refund_cents for one in await refunds_of(world, purchase)] == [PARTS[0]]
    assert len(await world.requests("invoice_payments.list")) == 1


@pytest.mark.parametrize("heard", [True, False])
async def test_staff_refund_all_of_it_by_one_refund_for_each_charge(world: World, heard: bool) -> None:
    purchase = await _pending(world)
    charges = await _pay(world, purchase, *PARTS)
    facts = [fact for fact in await world.facts() if heard or isinstance(fact, InvoicePaid)]
    await world.tell(*facts)

    await ask_for_a_refund(world, purchase)
    assert await left_of(world, purchase) == 0
    await world.settle_everything()
    await world.tell(*await world.facts())
    await world.settle_everything()

    made = {one["charge"]: one["amount"] for one in await world.refunds_at_stripe()}
    assert made == {one["id"]: one["amount"] for one in charges}
    assert (await world.purchase(purchase.id)).status is Status.REFUNDED
    assert [one.status for one in await refunds_of(world, purchase)] == ["succeeded"] * 2
    assert len(await world.told(kind=RefundIssued)) == 2
    assert await world.told(kind=RefundFailed) == []


async def test_late_money_that_came_in_parts_goes_back_in_parts(world: World) -> None:
    purchase = await _pending(world)
    charges = await _pay(world, purchase, *PARTS)
    await world.put(purchase, Status.CANCELLED)

    for _ in range(2):
        await world.tell(*await world.facts())
        await world.settle_everything()

    assert {one["charge"]: one["amount"] for one in await world.refunds_at_stripe()} == {
        one["id"]: one["amount"] for one in charges
    }
    assert {one.kind for one in await refunds_of(world, purchase)} == {"return"}
    assert len(await world.told(kind=PaymentReturned)) == 1


async def _settled(world: World, purchase: Purchase) -> Purchase:
    """Looked up at Stripe, with every webhook lost."""
    async with world.database.transaction() as session:
        await commands.ask(session, kind="settle", subject=str(purchase.id))
    await world.carry_out_commands()
    return await world.purchase(purchase.id)


@pytest.mark.parametrize("after", [timedelta(0), timedelta(hours=24)])
async def test_paid_in_part_and_never_finished_it_is_parked_and_told_and_not_voided(
    world: World, after: timedelta
) -> None:
    purchase = await _pending(world)
    await _pay(world, purchase, PARTS[0])
    await world.execute(
        "update workspace_addon_purchases set started_at = now() - make_interval(secs => :secs)",
        secs=after.total_seconds(),
    )

    await world.tell(*await world.facts())
    for _ in range(2):
        row = await _settled(world, purchase)

    assert (row.status, row.payable) == (Status.PENDING, True)
    (told,) = await world.told(kind=PaymentParked)
    assert (told["amount_paid_cents"], told["reason"]) == (PARTS[0], PAID_IN_PART)
    assert await world.requests("invoices.void") == []


async def test_the_rest_of_it_pays_it_all_the_same(world: World) -> None:
    purchase = await _pending(world)
    await _pay(world, purchase, PARTS[0])
    await world.tell(*await world.facts())
    await _settled(world, purchase)
    await _pay(world, purchase, PARTS[1])

    await world.tell(*await world.facts())
    await world.settle_everything()

    assert (await world.purchase(purchase.id)).status is Status.PAID
    assert [took for _, took, _ in await _charges(world)] == list(PARTS)


@pytest.mark.parametrize("what", ["declined", "given up"])
async def test_a_decline_of_the_rest_neither_fails_nor_voids_it(world: World, what: str) -> None:
    purchase = await _pending(world)
    await _pay(world, purchase, PARTS[0])
    if what == "declined":
        await world.control.fail_authentication(str(purchase.stripe_payment_intent_id))
    else:
        await world.client.v1.invoices.mark_uncollectible_async(str(purchase.stripe_invoice_id))

    await world.tell(*await world.facts())
    await world.carry_out_commands()

    assert (await world.purchase(purchase.id)).status is Status.PENDING
    assert len(await world.told(kind=PaymentParked)) == 1
    assert await world.requests("invoices.void") == []


async def test_what_is_paid_in_part_cannot_be_cancelled(world: World) -> None:
    purchase = await _pending(world)
    await _pay(world, purchase, PARTS[0])

    with pytest.raises(Problem) as refused:
        await cancel_it(world, purchase)

    assert (refused.value.status, refused.value.slug) == (409, "payment-in-progress")
    assert (await world.purchase(purchase.id)).status is Status.PENDING


async def test_staff_refund_the_part_and_void_the_invoice_at_stripe_and_it_has_failed(world: World) -> None:
    purchase = await _pending(world)
    charges = await _pay(world, purchase, PARTS[0])
    await world.tell(*await world.facts())
    await world.control.refund_as_dashboard(charge=charges[0]["id"])
    await world.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))

    await world.tell(*await world.facts())
    await world.settle_everything()

    row = await world.purchase(purchase.id)
    assert (row.status, row.payable, row.refunds) == (Status.FAILED, False, [])


async def test_what_goes_back_of_a_part_waits_while_the_invoice_is_open(world: World) -> None:
    """It was ended as not ours, and was missing once the rest had been paid."""
    purchase = await _pending(world)
    charges = await _pay(world, purchase, PARTS[0])
    await world.execute("update workspace_addon_purchases set stripe_payment_intent_id = null")
    await world.control.refund_as_dashboard(charge=charges[0]["id"])
    await world.tell(*[fact for fact in await world.facts() if isinstance(fact, RefundChanged)])
    await world.carry_out_commands()

    (parked,) = await world.parked()
    assert (parked["resolved_at"], parked["resolution"]) == (None, None)
