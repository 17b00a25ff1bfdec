"""Refunds that staff ask for: on the row first, made once, never more than remains, whatever Stripe says when."""

import asyncio
from typing import Any

import pytest

from chassis.problems import Problem
from contracts.purchase_facts import PurchaseRefunded, RefundFailed, RefundIssued
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import INSTANCE, PRICE, Harness
from tests.integration.purchases.moves import SAID, STAFF, ask_for_a_refund, left_of, refunds_of
from tests.integration.purchases.scenarios import VERSIONS


async def _paid(harness: Harness, card: str = "pm_card_visa") -> Purchase:
    purchase = await harness.given_a_purchase(card)
    assert purchase.status is Status.PAID
    return purchase


async def _at_stripe(harness: Harness) -> int:
    return sum(one["amount"] for one in await harness.refunds_at_stripe() if one["status"] != "failed")


async def _refused(harness: Harness, purchase: Purchase, amount: int | None = None, **asked: Any) -> Problem:
    with pytest.raises(Problem) as refused:
        await ask_for_a_refund(harness, purchase, amount, **asked)
    return refused.value


async def test_it_is_requested_first_and_moves_nothing_until_stripe_has_spoken(harness: Harness) -> None:
    purchase = await _paid(harness)
    published = len(await harness.published())

    requested = await ask_for_a_refund(harness, purchase)

    assert (requested.refund.status, requested.refund.refund_cents) == ("requested", PRICE)
    assert (requested.refund.requested_by, requested.refund.reason) == (STAFF, SAID)
    assert (await harness.purchase(purchase.id)).status is Status.PAID
    assert (await left_of(harness, purchase), len(await harness.published())) == (0, published)
    assert await harness.refunds_at_stripe() == []


async def test_it_is_made_after_the_commit_with_our_metadata_and_our_key(harness: Harness) -> None:
    purchase = await _paid(harness)
    requested = await ask_for_a_refund(harness, purchase, 10_000)

    await harness.settle_everything()

    (refund,) = await harness.refunds_at_stripe()
    assert refund["metadata"] == {
        "quittance_instance": INSTANCE,
        "workspace_id": purchase.workspace_id,
        "purchase_id": str(purchase.id),
        "addon_slug": purchase.addon_slug,
        "refund_id": str(requested.refund.id),
    }
    (asked,) = await harness.requests("refunds.create")
    assert asked["idempotency_key"] == f"{INSTANCE}:{requested.refund.id}:refund:1"
    (row,) = await refunds_of(harness, purchase)
    assert (row.stripe_refund_id, row.status, row.refund_cents) == (refund["id"], "succeeded", 10_000)


async def test_in_full_it_refunds_the_purchase_in_the_name_of_who_asked(harness: Harness) -> None:
    purchase = await _paid(harness)
    await ask_for_a_refund(harness, purchase)

    await harness.settle_everything()

    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED
    for kind in (RefundIssued, PurchaseRefunded):
        (fact,) = await harness.published(kind=kind)
        assert (fact["actor"], fact["reason"]) == (STAFF, SAID)
    (line,) = await harness.rows("select * from purchase_transitions where to_status = 'refunded'")
    assert (line["actor"], line["reason"]) == (STAFF, SAID)


async def test_in_parts_it_refunds_the_purchase_with_the_last_one(harness: Harness) -> None:
    purchase = await _paid(harness)
    await ask_for_a_refund(harness, purchase, 20_000)
    await harness.settle_everything()
    assert ((await harness.purchase(purchase.id)).status, await left_of(harness, purchase)) == (Status.PAID, 29_900)

    await ask_for_a_refund(harness, purchase)
    await harness.settle_everything()

    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED
    assert [one.refund_cents for one in await refunds_of(harness, purchase)] == [20_000, 29_900]


async def test_a_repeated_key_is_the_refund_as_it_is_now(harness: Harness) -> None:
    purchase = await _paid(harness)
    first = await ask_for_a_refund(harness, purchase, 100, key="k")
    await harness.settle_everything()

    again = await ask_for_a_refund(harness, purchase, 100, key="k")

    assert (first.repeated, again.repeated) == (False, True)
    assert (again.refund.id, again.refund.status) == (first.refund.id, "succeeded")
    await harness.settle_everything()
    assert len(await harness.refunds_at_stripe()) == 1


@pytest.mark.parametrize("other", [{"amount": 101}, {"amount": None}, {"amount": 100, "reason": "another"}])
async def test_a_repeated_key_with_another_body_is_refused(harness: Harness, other: dict[str, Any]) -> None:
    purchase = await _paid(harness)
    await ask_for_a_refund(harness, purchase, 100, key="k")

    problem = await _refused(harness, purchase, key="k", **other)

    assert (problem.status, problem.slug) == (422, "idempotency-key-reused")
    assert len(await refunds_of(harness, purchase)) == 1


async def test_more_than_remains_is_refused_with_what_remains(harness: Harness) -> None:
    purchase = await _paid(harness)
    await ask_for_a_refund(harness, purchase, 40_000)

    problem = await _refused(harness, purchase, 9_901)

    assert (problem.status, problem.slug) == (409, "refund-too-large")
    assert problem.extra == {"refundable_cents": 9_900, "currency": "EUR"}
    assert len(await refunds_of(harness, purchase)) == 1


async def test_what_is_all_asked_for_is_refunded_already(harness: Harness) -> None:
    purchase = await _paid(harness)
    await ask_for_a_refund(harness, purchase)

    assert (await _refused(harness, purchase)).slug == "already-refunded"


@pytest.mark.parametrize("card", ["pm_card_authenticationRequired", "pm_card_chargeCustomerFail"])
async def test_where_nothing_was_paid_there_is_nothing_to_refund(harness: Harness, card: str) -> None:
    purchase = await harness.given_a_purchase(card)

    assert (await _refused(harness, purchase)).slug == "nothing-paid"
    assert await refunds_of(harness, purchase) == []


async def test_many_admins_at_once_never_exceed_what_was_paid(harness: Harness) -> None:
    purchase = await _paid(harness)

    answers = await asyncio.gather(
        *(ask_for_a_refund(harness, purchase, 20_000) for _ in range(6)), return_exceptions=True
    )
    await harness.settle_everything()

    assert [one.slug for one in answers if isinstance(one, Problem)] == ["refund-too-large"] * 4
    assert await _at_stripe(harness) == 40_000
    assert await left_of(harness, purchase) == PRICE - 40_000


@pytest.mark.parametrize(
    "fault",
    ["close_after", "error_after", "error_before", "rate_limit", "close_before", "forbidden", "other_parameters"],
)
async def test_however_it_is_interrupted_it_is_made_once(harness: Harness, fault: str) -> None:
    purchase = await _paid(harness)
    await ask_for_a_refund(harness, purchase, 100)
    await harness.control.fault(fault, operation="refunds.create", times=2)

    await harness.settle_everything()

    assert len(await harness.refunds_at_stripe()) == 1
    assert [one.status for one in await refunds_of(harness, purchase)] == ["succeeded"]
    assert len(await harness.published(kind=RefundIssued)) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("backwards", [False, True])
async def test_heard_from_the_webhook_before_our_own_answer_it_is_one_row(
    harness: Harness, version: str | None, backwards: bool
) -> None:
    """The process died after Stripe's yes: the events come first, then the job is taken again."""
    purchase = await _paid(harness)
    requested = await ask_for_a_refund(harness, purchase)
    await harness.control.fault("close_after", operation="refunds.create")
    await harness.run_jobs()
    assert [one.status for one in await refunds_of(harness, purchase)] == ["requested"]

    facts = await harness.facts(version=version)
    await harness.deliver(*(reversed(facts) if backwards else facts))
    await harness.settle_everything()

    (row,) = await refunds_of(harness, purchase)
    (refund,) = await harness.refunds_at_stripe()
    assert (row.id, row.stripe_refund_id, row.status) == (requested.refund.id, refund["id"], "succeeded")
    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED
    assert [fact["refund_id"] for fact in await harness.published(kind=RefundIssued)] == [str(requested.refund.id)]


async def test_made_in_the_dashboard_meanwhile_ours_fails_and_is_published_once(harness: Harness) -> None:
    purchase = await _paid(harness)
    await ask_for_a_refund(harness, purchase)
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=30_000)

    await harness.settle_everything()
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert sorted((one.status, one.refund_cents) for one in await refunds_of(harness, purchase)) == [
        ("failed", PRICE),
        ("succeeded", 30_000),
    ]
    (failed,) = await harness.published(kind=RefundFailed)
    assert failed["was_issued"] is False
    assert (failed["stripe_refund_id"], failed["refund_cents"]) == (None, PRICE)
    assert failed["failure_reason"]
    assert await left_of(harness, purchase) == PRICE - await _at_stripe(harness) == PRICE - 30_000
    assert [one["state"] for one in await harness.jobs("refund")] == ["done"]


async def test_refused_because_it_is_disputed_it_fails_and_its_money_is_free_again(harness: Harness) -> None:
    purchase = await _paid(harness, "pm_card_createDispute")
    await ask_for_a_refund(harness, purchase)

    await harness.settle_everything()

    (row,) = await refunds_of(harness, purchase)
    assert (row.status, row.stripe_refund_id) == ("failed", None)
    assert row.failure_reason
    assert await left_of(harness, purchase) == PRICE


async def test_failed_at_the_bank_it_can_be_asked_for_again(harness: Harness) -> None:
    purchase = await _paid(harness, "pm_card_refundFail")
    await ask_for_a_refund(harness, purchase)
    await harness.settle_everything()
    (refund,) = await harness.refunds_at_stripe()
    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED

    await harness.control.settle_refund(refund["id"], status="failed")
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert ((await harness.purchase(purchase.id)).status, await left_of(harness, purchase)) == (Status.PAID, PRICE)
    await ask_for_a_refund(harness, purchase)
    assert await left_of(harness, purchase) == 0


async def test_a_refund_in_the_dashboard_that_copies_our_metadata_is_another_refund(harness: Harness) -> None:
    """The first with our id and our amount is ours; any other one gets a row of its own."""
    purchase = await _paid(harness)
    requested = await ask_for_a_refund(harness, purchase, 100)
    await harness.client.v1.refunds.create_async(
        {
            "payment_intent": str(purchase.stripe_payment_intent_id),
            "amount": 7,
            "metadata": {"refund_id": str(requested.refund.id)},
        }
    )

    await harness.deliver(*await harness.facts())

    rows = await refunds_of(harness, purchase)
    assert sorted((one.status, one.refund_cents) for one in rows) == [("requested", 100), ("succeeded", 7)]
