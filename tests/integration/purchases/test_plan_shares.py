"""One charge that paid the plan and purchases: what goes back falls on each, in whatever order it is heard of."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from contracts.stripe_facts import (
    ChargeRefunded,
    CheckoutSessionCompleted,
    DisputeChanged,
    InvoicePaid,
    InvoicePaymentLinked,
    RefundChanged,
    StripeFact,
    SubscriptionChanged,
)
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.bundles import PLAN_CENTS, given_a_bundle, invoice_of
from tests.integration.purchases.harness import INSTANCE, Harness, Json
from tests.integration.purchases.scenarios import VERSIONS
from tests.integration.purchases.test_bundles import CENTS, WHOLE, nameless
from tests.integration.purchases.test_plan_money import CLOSED, OPENED, REFUNDED, published

BACK = (ChargeRefunded, RefundChanged, DisputeChanged)
OF_THE_INVOICE = (InvoicePaid, InvoicePaymentLinked)


async def refunds(harness: Harness) -> list[tuple[int, int, str]]:
    rows = await harness.rows("select * from workspace_refunds")
    return [(row["refund_cents"], row["whole_cents"], row["status"]) for row in rows]


async def disputes(harness: Harness) -> list[tuple[int, int, str]]:
    rows = await harness.rows("select * from workspace_disputes")
    return [(row["dispute_cents"], row["whole_cents"], row["status"]) for row in rows]


async def shares(harness: Harness, table: str, cents: str) -> list[int]:
    return sorted([row["cents"] for row in await harness.rows(f"select {cents} as cents from {table}")])


async def then(harness: Harness, facts: Sequence[StripeFact]) -> None:
    await harness.deliver(*facts)
    await harness.settle_everything()


async def refund_and_lose(harness: Harness, *, how: str) -> list[StripeFact]:
    """Stripe's events of a bundle whose charge went back, by a refund or by a dispute that is lost."""
    invoice = await invoice_of(harness)
    if how == "refund":
        await harness.control.refund_as_dashboard(invoice=invoice)
    else:
        dispute = await harness.control.open_dispute(invoice=invoice)
        await harness.control.close_dispute(dispute["id"], status="lost")
    return await harness.facts()


async def everything_fell_where_it_belongs(harness: Harness, purchases: Sequence[Purchase], how: str) -> None:
    assert {(await harness.purchase(one.id)).status for one in purchases} == {Status.REFUNDED}
    assert await shares(harness, "purchase_refunds", "refund_cents") == CENTS
    mine = [(PLAN_CENTS, WHOLE, "succeeded" if how == "refund" else "lost")]
    assert (await refunds(harness), await disputes(harness)) == ((mine, []) if how == "refund" else ([], mine))
    assert await harness.parked() == []
    assert await harness.rows("select 1 from stripe_commands where state = 'parked'") == []


@pytest.mark.parametrize("how", ["refund", "dispute"])
@pytest.mark.parametrize("first", ["its payment", "what went back", "its Checkout"])
async def test_the_plan_has_its_share_in_every_order(harness: Harness, how: str, first: str) -> None:
    purchases = await given_a_bundle(harness)
    facts = await refund_and_lose(harness, how=how)
    back = [fact for fact in facts if isinstance(fact, BACK)]
    rest = [fact for fact in facts if not isinstance(fact, BACK)]

    checkout = [fact for fact in rest if isinstance(fact, CheckoutSessionCompleted)]
    orders: dict[str, tuple[Sequence[StripeFact], ...]] = {
        "its payment": (rest, back),
        "what went back": (back, rest),
        "its Checkout": (checkout, back, rest),
    }
    for some in orders[first]:
        await then(harness, some)
    await then(harness, facts)

    await everything_fell_where_it_belongs(harness, purchases, how)
    bodies = await published(harness, purchases[0].workspace_id, REFUNDED, OPENED, CLOSED)
    assert {body.get("previously_cents") for body in bodies} == {None}
    assert {body.get("refund_cents", body.get("dispute_cents")) for body in bodies} == {PLAN_CENTS}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["refund", "dispute"])
async def test_what_goes_back_waits_while_it_is_read_what_its_invoice_paid(
    harness: Harness, how: str, version: str | None
) -> None:
    """It was booked as the plan's, whole, before the look had ended."""
    purchases = await given_a_bundle(harness)
    await refund_and_lose(harness, how=how)
    facts = await harness.facts(version=version)

    await harness.deliver(*[fact for fact in facts if isinstance(fact, OF_THE_INVOICE)])
    await harness.deliver(*[fact for fact in facts if isinstance(fact, BACK)])
    assert (await refunds(harness), await disputes(harness)) == ([], [])
    await harness.settle_everything()
    await then(harness, facts)

    await everything_fell_where_it_belongs(harness, purchases, how)


@pytest.mark.parametrize("how", ["refund", "dispute"])
async def test_what_was_taken_for_the_plans_alone_is_corrected_with_a_trace(harness: Harness, how: str) -> None:
    purchases = await given_a_bundle(harness)
    workspace = purchases[0].workspace_id
    facts = await refund_and_lose(harness, how=how)
    await _hide_the_purchases(harness, facts)
    await then(harness, [fact for fact in facts if isinstance(fact, BACK)])
    assert ((WHOLE, WHOLE) in [row[:2] for row in [*await refunds(harness), *await disputes(harness)]]) is True

    await _show_them(harness, purchases)
    await then(harness, facts)

    await everything_fell_where_it_belongs(harness, purchases, how)
    rows = await harness.rows(f"select corrected_at from workspace_{how}s")
    assert None not in [row["corrected_at"] for row in rows]
    first, *others = await published(harness, workspace, REFUNDED, OPENED, CLOSED)
    corrected = others[-1]
    cents = f"{how}_cents"
    assert (first[cents], corrected[cents], corrected["previously_cents"]) == (WHOLE, PLAN_CENTS, WHOLE)
    assert corrected["outcome"] == {"refund": "refunded", "dispute": "lost"}[how]


async def _hide_the_purchases(harness: Harness, facts: Sequence[StripeFact]) -> None:
    """The plan's side knows the charge; of the purchases nothing connects them with it so far."""
    await harness.deliver(*[fact for fact in facts if isinstance(fact, SubscriptionChanged)])
    await harness.settle_everything()
    for column in ("stripe_subscription_id", "stripe_checkout_session_id"):
        await harness.execute(f"update workspace_addon_purchases set {column} = null")
    await harness.deliver(*[nameless(fact) for fact in facts if isinstance(fact, InvoicePaid)])
    await harness.deliver(*[fact for fact in facts if isinstance(fact, InvoicePaymentLinked)])


async def _show_them(harness: Harness, purchases: Sequence[Purchase]) -> None:
    session = str(purchases[0].stripe_checkout_session_id)
    await harness.execute("update workspace_addon_purchases set stripe_checkout_session_id = :session", session=session)


async def test_a_refund_that_names_a_purchase_of_the_bundle_is_none_of_the_plans(harness: Harness) -> None:
    purchases = await given_a_bundle(harness)
    metadata = {"quittance_instance": INSTANCE, "purchase_id": str(purchases[0].id)}
    cents = purchases[0].price_cents
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=cents, metadata=metadata)

    await then(harness, await harness.facts())

    assert await shares(harness, "purchase_refunds", "refund_cents") == [cents]
    assert await refunds(harness) == []


async def test_what_several_refunds_leave_is_the_plans(harness: Harness) -> None:
    """The last one makes it whole: the plan has what no purchase took."""
    purchases = await given_a_bundle(harness)
    metadata = {"quittance_instance": INSTANCE, "purchase_id": str(purchases[0].id)}
    cents = purchases[0].price_cents
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=cents, metadata=metadata)
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness))

    await then(harness, await harness.facts())

    assert await refunds(harness) == [(PLAN_CENTS, WHOLE - cents, "succeeded")]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_refund_of_a_bundle_that_fails_is_the_plans_failure_too(harness: Harness, version: str | None) -> None:
    purchases = await given_a_bundle(harness, card="refundFail")
    refund = await harness.control.refund_as_dashboard(invoice=await invoice_of(harness))
    await then(harness, await harness.facts(version=version))
    await harness.control.settle_refund(refund["id"], status="failed")

    await then(harness, await harness.facts(version=version))

    assert await refunds(harness) == [(PLAN_CENTS, WHOLE, "failed")]
    bodies = await published(harness, purchases[0].workspace_id, REFUNDED)
    assert [(body["outcome"], body["refund_cents"]) for body in bodies] == [
        ("refunded", PLAN_CENTS),
        ("failed", PLAN_CENTS),
    ]


def _another(fact: StripeFact, **changes: Any) -> StripeFact:
    return fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}"} | changes)


async def test_what_went_back_twice_by_word_is_recorded_once(harness: Harness) -> None:
    await given_a_bundle(harness)
    facts = await refund_and_lose(harness, how="refund")
    again: list[Json] = []

    await then(harness, facts)
    for fact in [fact for fact in facts if isinstance(fact, BACK)]:
        await then(harness, [_another(fact)])
        again = await harness.rows("select * from workspace_refunds")

    assert len(again) == 1
    assert await refunds(harness) == [(PLAN_CENTS, WHOLE, "succeeded")]
