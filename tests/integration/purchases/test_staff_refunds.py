"""Refunds that staff ask for: on the row first, made once, never more than remains, whatever Stripe says when."""

import asyncio
from typing import Any

import pytest

from chassis.problems import Problem
from contracts.purchase_facts import PurchaseRefunded, RefundFailed, RefundIssued
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import INSTANCE, PRICE, World
from tests.integration.purchases.moves import SAID, STAFF, ask_for_a_refund, left_of, refunds_of
from tests.integration.purchases.scenarios import VERSIONS


async def _paid(world: World, card: str = "pm_card_visa") -> Purchase:
    purchase = await world.given_a_purchase(card)
    assert purchase.status is Status.PAID
    return purchase


async def _at_stripe(world: World) -> int:
    return sum(one["amount"] for one in await world.refunds_at_stripe() if one["status"] != "failed")


async def _refused(world: World, purchase: Purchase, amount: int | None = None, **asked: Any) -> Problem:
    with pytest.raises(Problem) as refused:
        await ask_for_a_refund(world, purchase, amount, **asked)
    return refused.value


async def test_it_is_requested_first_and_moves_nothing_until_stripe_has_spoken(world: World) -> None:
    purchase = await _paid(world)
    told = len(await world.told())

    requested = await ask_for_a_refund(world, purchase)

    assert (requested.refund.status, requested.refund.refund_cents) == ("requested", PRICE)
    assert (requested.refund.requested_by, requested.refund.reason) == (STAFF, SAID)
    assert (await world.purchase(purchase.id)).status is Status.PAID
    assert (await left_of(world, purchase), len(await world.told())) == (0, told)
    assert await world.refunds_at_stripe() == []


async def test_it_is_made_after_the_commit_with_our_metadata_and_our_key(world: World) -> None:
    purchase = await _paid(world)
    requested = await ask_for_a_refund(world, purchase, 10_000)

    await world.settle_everything()

    (refund,) = await world.refunds_at_stripe()
    assert refund["metadata"] == {
        "quittance_instance": INSTANCE,
        "workspace_id": purchase.workspace_id,
        "purchase_id": str(purchase.id),
        "addon_slug": purchase.addon_slug,
        "refund_id": str(requested.refund.id),
    }
    (asked,) = await world.requests("refunds.create")
    assert asked["idempotency_key"] == f"{INSTANCE}:{requested.refund.id}:refund:1"
    (row,) = await refunds_of(world, purchase)
    assert (row.stripe_refund_id, row.status, row.refund_cents) == (refund["id"], "succeeded", 10_000)


async def test_in_full_it_refunds_the_purchase_in_the_name_of_who_asked(world: World) -> None:
    purchase = await _paid(world)
    await ask_for_a_refund(world, purchase)

    await world.settle_everything()

    assert (await world.purchase(purchase.id)).status is Status.REFUNDED
    for kind in (RefundIssued, PurchaseRefunded):
        (fact,) = await world.told(kind=kind)
        assert (fact["actor"], fact["reason"]) == (STAFF, SAID)
    (line,) = await world.rows("select * from purchase_transitions where to_status = 'refunded'")
    assert (line["actor"], line["reason"]) == (STAFF, SAID)


async def test_in_parts_it_refunds_the_purchase_with_the_last_one(world: World) -> None:
    purchase = await _paid(world)
    await ask_for_a_refund(world, purchase, 20_000)
    await world.settle_everything()
    assert ((await world.purchase(purchase.id)).status, await left_of(world, purchase)) == (Status.PAID, 29_900)

    await ask_for_a_refund(world, purchase)
    await world.settle_everything()

    assert (await world.purchase(purchase.id)).status is Status.REFUNDED
    assert [one.refund_cents for one in await refunds_of(world, purchase)] == [20_000, 29_900]


async def test_a_repeated_key_is_the_refund_as_it_is_now(world: World) -> None:
    purchase = await _paid(world)
    first = await ask_for_a_refund(world, purchase, 100, key="k")
    await world.settle_everything()

    again = await ask_for_a_refund(world, purchase, 100, key="k")

    assert (first.repeated, again.repeated) == (False, True)
    assert (again.refund.id, again.refund.status) == (first.refund.id, "succeeded")
    await world.settle_everything()
    assert len(await world.refunds_at_stripe()) == 1


@pytest.mark.parametrize("other", [{"amount": 101}, {"amount": None}, {"amount": 100, "reason": "another"}])
async def test_a_repeated_key_with_another_body_is_refused(world: World, other: dict[str, Any]) -> None:
    purchase = await _paid(world)
    await ask_for_a_refund(world, purchase, 100, key="k")

    problem = await _refused(world, purchase, key="k", **other)

    assert (problem.status, problem.slug) == (422, "idempotency-key-reused")
    assert len(await refunds_of(world, purchase)) == 1


async def test_more_than_remains_is_refused_with_what_remains(world: World) -> None:
    purchase = await _paid(world)
    await ask_for_a_refund(world, purchase, 40_000)

    problem = await _refused(world, purchase, 9_901)

    assert (problem.status, problem.slug) == (409, "refund-too-large")
    assert problem.extra == {"refundable_cents": 9_900, "currency": "EUR"}
    assert len(await refunds_of(world, purchase)) == 1


async def test_what_is_all_asked_for_is_refunded_already(world: World) -> None:
    purchase = await _paid(world)
    await ask_for_a_refund(world, purchase)

    assert (await _refused(world, purchase)).slug == "already-refunded"


@pytest.mark.parametrize("card", ["pm_card_authenticationRequired", "pm_card_chargeCustomerFail"])
async def test_where_nothing_was_paid_there_is_nothing_to_refund(world: World, card: str) -> None:
    purchase = await world.given_a_purchase(card)

    assert (await _refused(world, purchase)).slug == "nothing-paid"
    assert await refunds_of(world, purchase) == []


async def test_many_admins_at_once_never_exceed_what_was_paid(world: World) -> None:
    purchase = await _paid(world)

    answers = await asyncio.gather(
        *(ask_for_a_refund(world, purchase, 20_000) for _ in range(6)), return_exceptions=True
    )
    await world.settle_everything()

    assert [one.slug for one in answers if isinstance(one, Problem)] == ["refund-too-large"] * 4
    assert await _at_stripe(world) == 40_000
    assert await left_of(world, purchase) == PRICE - 40_000


@pytest.mark.parametrize(
    "fault",
    ["close_after", "error_after", "error_before", "rate_limit", "close_before", "forbidden", "other_parameters"],
)
async def test_however_it_is_interrupted_it_is_made_once(world: World, fault: str) -> None:
    purchase = await _paid(world)
    await ask_for_a_refund(world, purchase, 100)
    await world.control.fault(fault, operation="refunds.create", times=2)

    await world.settle_everything()

    assert len(await world.refunds_at_stripe()) == 1
    assert [one.status for one in await refunds_of(world, purchase)] == ["succeeded"]
    assert len(await world.told(kind=RefundIssued)) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("backwards", [False, True])
async def test_heard_from_the_webhook_before_our_own_answer_it_is_one_row(
    world: World, version: str | None, backwards: bool
) -> None:
    """The process died after Stripe's yes: the events come first, then the command is taken again."""
    purchase = await _paid(world)
    requested = await ask_for_a_refund(world, purchase)
    await world.control.fault("close_after", operation="refunds.create")
    await world.carry_out_commands()
    assert [one.status for one in await refunds_of(world, purchase)] == ["requested"]

    facts = await world.facts(version=version)
    await world.tell(*(reversed(facts) if backwards else facts))
    await world.settle_everything()

    (row,) = await refunds_of(world, purchase)
    (refund,) = await world.refunds_at_stripe()
    assert (row.id, row.stripe_refund_id, row.status) == (requested.refund.id, refund["id"], "succeeded")
    assert (await world.purchase(purchase.id)).status is Status.REFUNDED
    assert [fact["refund_id"] for fact in await world.told(kind=RefundIssued)] == [str(requested.refund.id)]


async def test_made_in_the_dashboard_meanwhile_ours_fails_and_is_told_once(world: World) -> None:
    purchase = await _paid(world)
    await ask_for_a_refund(world, purchase)
    await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=30_000)

    await world.settle_everything()
    await world.tell(*await world.facts())
    await world.settle_everything()

    assert sorted((one.status, one.refund_cents) for one in await refunds_of(world, purchase)) == [
        ("failed", PRICE),
        ("succeeded", 30_000),
    ]
    (failed,) = await world.told(kind=RefundFailed)
    assert failed["was_issued"] is False
    assert (failed["stripe_refund_id"], failed["refund_cents"]) == (None, PRICE)
    assert failed["failure_reason"]
    assert await left_of(world, purchase) == PRICE - await _at_stripe(world) == PRICE - 30_000
    assert [one["state"] for one in await world.commands("refund")] == ["done"]


async def test_refused_because_it_is_disputed_it_fails_and_its_money_is_free_again(world: World) -> None:
    purchase = await _paid(world, "pm_card_createDispute")
    await ask_for_a_refund(world, purchase)

    await world.settle_everything()

    (row,) = await refunds_of(world, purchase)
    assert (row.status, row.stripe_refund_id) == ("failed", None)
    assert row.failure_reason
    assert await left_of(world, purchase) == PRICE


async def test_failed_at_the_bank_it_can_be_asked_for_again(world: World) -> None:
    purchase = await _paid(world, "pm_card_refundFail")
    await ask_for_a_refund(world, purchase)
    await world.settle_everything()
    (refund,) = await world.refunds_at_stripe()
    assert (await world.purchase(purchase.id)).status is Status.REFUNDED

    await world.control.settle_refund(refund["id"], status="failed")
    await world.tell(*await world.facts())
    await world.settle_everything()

    assert ((await world.purchase(purchase.id)).status, await left_of(world, purchase)) == (Status.PAID, PRICE)
    await ask_for_a_refund(world, purchase)
    assert await left_of(world, purchase) == 0


async def test_a_refund_in_the_dashboard_that_copies_our_metadata_is_another_refund(world: World) -> None:
    """The first with our id and our amount is ours; any other one gets a row of its own."""
    purchase = await _paid(world)
    requested = await ask_for_a_refund(world, purchase, 100)
    await world.client.v1.refunds.create_async(
        {
            "payment_intent": str(purchase.stripe_payment_intent_id),
            "amount": 7,
            "metadata": {"refund_id": str(requested.refund.id)},
        }
    )

    await world.tell(*await world.facts())

    rows = await refunds_of(world, purchase)
    assert sorted((one.status, one.refund_cents) for one in rows) == [("requested", 100), ("succeeded", 7)]
