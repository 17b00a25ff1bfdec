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
from tests.integration.purchases.harness import INSTANCE, Json, World
from tests.integration.purchases.scenarios import VERSIONS
from tests.integration.purchases.test_bundles import CENTS, WHOLE, nameless
from tests.integration.purchases.test_plan_money import CLOSED, OPENED, REFUNDED, told

BACK = (ChargeRefunded, RefundChanged, DisputeChanged)
OF_THE_INVOICE = (InvoicePaid, InvoicePaymentLinked)


async def refunds(world: World) -> list[tuple[int, int, str]]:
    rows = await world.rows("select * from workspace_refunds")
    return [(row["refund_cents"], row["whole_cents"], row["status"]) for row in rows]


async def disputes(world: World) -> list[tuple[int, int, str]]:
    rows = await world.rows("select * from workspace_disputes")
    return [(row["dispute_cents"], row["whole_cents"], row["status"]) for row in rows]


async def shares(world: World, table: str, cents: str) -> list[int]:
    return sorted([row["cents"] for row in await world.rows(f"select {cents} as cents from {table}")])


async def then(world: World, facts: Sequence[StripeFact]) -> None:
    await world.tell(*facts)
    await world.settle_everything()


async def refund_and_lose(world: World, *, how: str) -> list[StripeFact]:
    """Stripe's events of a bundle whose charge went back, by a refund or by a dispute that is lost."""
    invoice = await invoice_of(world)
    if how == "refund":
        await world.control.refund_as_dashboard(invoice=invoice)
    else:
        dispute = await world.control.open_dispute(invoice=invoice)
        await world.control.close_dispute(dispute["id"], status="lost")
    return await world.facts()


async def everything_fell_where_it_belongs(world: World, purchases: Sequence[Purchase], how: str) -> None:
    assert {(await world.purchase(one.id)).status for one in purchases} == {Status.REFUNDED}
    assert await shares(world, "purchase_refunds", "refund_cents") == CENTS
    mine = [(PLAN_CENTS, WHOLE, "succeeded" if how == "refund" else "lost")]
    assert (await refunds(world), await disputes(world)) == ((mine, []) if how == "refund" else ([], mine))
    assert await world.parked() == []
    assert await world.rows("select 1 from stripe_commands where state = 'parked'") == []


@pytest.mark.parametrize("how", ["refund", "dispute"])
@pytest.mark.parametrize("first", ["its payment", "what went back", "its Checkout"])
async def test_the_plan_has_its_share_in_every_order(world: World, how: str, first: str) -> None:
    purchases = await given_a_bundle(world)
    facts = await refund_and_lose(world, how=how)
    back = [fact for fact in facts if isinstance(fact, BACK)]
    rest = [fact for fact in facts if not isinstance(fact, BACK)]

    checkout = [fact for fact in rest if isinstance(fact, CheckoutSessionCompleted)]
    orders: dict[str, tuple[Sequence[StripeFact], ...]] = {
        "its payment": (rest, back),
        "what went back": (back, rest),
        "its Checkout": (checkout, back, rest),
    }
    for some in orders[first]:
        await then(world, some)
    await then(world, facts)

    await everything_fell_where_it_belongs(world, purchases, how)
    bodies = await told(world, purchases[0].workspace_id, REFUNDED, OPENED, CLOSED)
    assert {body.get("previously_cents") for body in bodies} == {None}
    assert {body.get("refund_cents", body.get("dispute_cents")) for body in bodies} == {PLAN_CENTS}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["refund", "dispute"])
async def test_what_goes_back_waits_while_it_is_read_what_its_invoice_paid(
    world: World, how: str, version: str | None
) -> None:
    """It was booked as the plan's, whole, before the look had ended."""
    purchases = await given_a_bundle(world)
    await refund_and_lose(world, how=how)
    facts = await world.facts(version=version)

    await world.tell(*[fact for fact in facts if isinstance(fact, OF_THE_INVOICE)])
    await world.tell(*[fact for fact in facts if isinstance(fact, BACK)])
    assert (await refunds(world), await disputes(world)) == ([], [])
    await world.settle_everything()
    await then(world, facts)

    await everything_fell_where_it_belongs(world, purchases, how)


@pytest.mark.parametrize("how", ["refund", "dispute"])
async def test_what_was_taken_for_the_plans_alone_is_corrected_with_a_trace(world: World, how: str) -> None:
    purchases = await given_a_bundle(world)
    workspace = purchases[0].workspace_id
    facts = await refund_and_lose(world, how=how)
    await _hide_the_purchases(world, facts)
    await then(world, [fact for fact in facts if isinstance(fact, BACK)])
    assert ((WHOLE, WHOLE) in [row[:2] for row in [*await refunds(world), *await disputes(world)]]) is True

    await _show_them(world, purchases)
    await then(world, facts)

    await everything_fell_where_it_belongs(world, purchases, how)
    rows = await world.rows(f"select corrected_at from workspace_{how}s")
    assert None not in [row["corrected_at"] for row in rows]
    first, *others = await told(world, workspace, REFUNDED, OPENED, CLOSED)
    corrected = others[-1]
    cents = f"{how}_cents"
    assert (first[cents], corrected[cents], corrected["previously_cents"]) == (WHOLE, PLAN_CENTS, WHOLE)
    assert corrected["outcome"] == {"refund": "refunded", "dispute": "lost"}[how]


async def _hide_the_purchases(world: World, facts: Sequence[StripeFact]) -> None:
    """The plan's side knows the charge; of the purchases nothing connects them with it so far."""
    await world.tell(*[fact for fact in facts if isinstance(fact, SubscriptionChanged)])
    await world.settle_everything()
    for column in ("stripe_subscription_id", "stripe_checkout_session_id"):
        await world.execute(f"update workspace_addon_purchases set {column} = null")
    await world.tell(*[nameless(fact) for fact in facts if isinstance(fact, InvoicePaid)])
    await world.tell(*[fact for fact in facts if isinstance(fact, InvoicePaymentLinked)])


async def _show_them(world: World, purchases: Sequence[Purchase]) -> None:
    session = str(purchases[0].stripe_checkout_session_id)
    await world.execute("update workspace_addon_purchases set stripe_checkout_session_id = :session", session=session)


async def test_a_refund_that_names_a_purchase_of_the_bundle_is_none_of_the_plans(world: World) -> None:
    purchases = await given_a_bundle(world)
    metadata = {"quittance_instance": INSTANCE, "purchase_id": str(purchases[0].id)}
    cents = purchases[0].price_cents
    await world.control.refund_as_dashboard(invoice=await invoice_of(world), amount=cents, metadata=metadata)

    await then(world, await world.facts())

    assert await shares(world, "purchase_refunds", "refund_cents") == [cents]
    assert await refunds(world) == []


async def test_what_several_refunds_leave_is_the_plans(world: World) -> None:
    """The last one makes it whole: the plan has what no purchase took."""
    purchases = await given_a_bundle(world)
    metadata = {"quittance_instance": INSTANCE, "purchase_id": str(purchases[0].id)}
    cents = purchases[0].price_cents
    await world.control.refund_as_dashboard(invoice=await invoice_of(world), amount=cents, metadata=metadata)
    await world.control.refund_as_dashboard(invoice=await invoice_of(world))

    await then(world, await world.facts())

    assert await refunds(world) == [(PLAN_CENTS, WHOLE - cents, "succeeded")]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_refund_of_a_bundle_that_fails_is_the_plans_failure_too(world: World, version: str | None) -> None:
    purchases = await given_a_bundle(world, card="refundFail")
    refund = await world.control.refund_as_dashboard(invoice=await invoice_of(world))
    await then(world, await world.facts(version=version))
    await world.control.settle_refund(refund["id"], status="failed")

    await then(world, await world.facts(version=version))

    assert await refunds(world) == [(PLAN_CENTS, WHOLE, "failed")]
    bodies = await told(world, purchases[0].workspace_id, REFUNDED)
    assert [(body["outcome"], body["refund_cents"]) for body in bodies] == [
        ("refunded", PLAN_CENTS),
        ("failed", PLAN_CENTS),
    ]


def _another(fact: StripeFact, **changes: Any) -> StripeFact:
    return fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}"} | changes)


async def test_what_went_back_twice_by_word_is_recorded_once(world: World) -> None:
    await given_a_bundle(world)
    facts = await refund_and_lose(world, how="refund")
    again: list[Json] = []

    await then(world, facts)
    for fact in [fact for fact in facts if isinstance(fact, BACK)]:
        await then(world, [_another(fact)])
        again = await world.rows("select * from workspace_refunds")

    assert len(again) == 1
    assert await refunds(world) == [(PLAN_CENTS, WHOLE, "succeeded")]
