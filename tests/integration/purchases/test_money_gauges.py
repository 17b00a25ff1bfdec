"""Whether money is stuck, as an operator sees it: paid and not recorded, not decided, on the way for too long."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka.records import Received
from chassis.outbox.pruning import prune_all
from chassis.process.health import Health
from purchases.jobs.stripe_context import WorkerContext
from purchases.ledger.move import move_or_record_stale
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.store import lock_purchase
from purchases.ledger.transitions import Trigger
from purchases.parked.review_parked import discard_parked
from purchases.reconcile.reconcile import reconcile_stretch
from purchases.reconcile.rules import REACH
from purchases.stripe_api.since import Stretch
from purchases.worker.pruned import PRUNES
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.statements import FOLLOWING

MISSING: Final = "billing_stripe_paid_not_in_ledger"
KINDS: Final = ("payment", "fact", "command", "refund", "purchase")
JOB: Final = """
    insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts, asked_at, ended_at)
    values (:kind, 'k1', 's1', '{}', :state, 1, now() - interval '2 hours', 0, now() - interval '2 hours',
        now() - interval '2 hours')
"""
FACT: Final = """
    insert into parked (consumer, topic, partition, "offset", value, headers, reason, parked_at, attempts)
    values ('purchases', 't', 0, 1, ''::bytea, '[]', 'because', now() - interval '2 hours', 0)
"""
PAYMENT: Final = """
    insert into purchase_parked_payments
    select id, 'in_strange', 100, 'EUR', 'because', now() - interval '2 hours' from workspace_addon_purchases
"""
NOTE: Final = """
    insert into stripe_unrecorded_payments (stripe_invoice_id, purchases, amount_paid_cents, currency, invoiced_at)
    values ('in_strange', 2, 100, 'EUR', now())
"""
DAYS_90: Final = timedelta(days=90)
PENDING: Final = "update workspace_addon_purchases set status = 'pending', started_at = now() - interval '2 hours'"


def shown(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def waiting() -> dict[str, int]:
    """What waits, by kind, and for how many minutes: of each kind that is not empty."""
    items = {kind: shown("billing_undecided_money_items", kind=kind) for kind in KINDS}
    ages = {kind: shown("billing_undecided_money_oldest_age_seconds", kind=kind) for kind in KINDS}
    assert {kind for kind, age in ages.items() if age} == {kind for kind, number in items.items() if number}
    return {kind: round((age or 0) / 60) for kind, age in ages.items() if age}


async def sweep(context: WorkerContext) -> None:
    now = datetime.now(UTC)
    await reconcile_stretch(context, Stretch(now - REACH, now + timedelta(minutes=1)))


@pytest.fixture
async def lost(harness: Harness) -> Purchase:
    """A purchase that is paid at Stripe, and of which nothing is left here."""
    purchase = await harness.given_a_purchase()
    for table in (*FOLLOWING, "workspace_addon_purchases"):
        await harness.execute(f"delete from {table}")
    return purchase


async def refuse(_session: AsyncSession, _batch: Sequence[Received]) -> None:
    raise RuntimeError("a fault of ours")


async def test_what_is_paid_at_stripe_and_cannot_be_recorded_is_seen_until_it_is(
    harness: Harness, lost: Purchase
) -> None:
    """Given a payment without a row, when the sweep fails at it, then it counts; once it is recorded it does not."""
    with pytest.raises(RuntimeError):
        await sweep(replace(harness.context, apply=refuse))
    await harness.loop.update_gauges()
    stuck = shown(MISSING), (shown(f"{MISSING}_oldest_age_seconds") or 0) > 0

    await sweep(harness.context)
    await harness.loop.update_gauges()

    assert stuck == (1, True)
    assert (shown(MISSING), shown(f"{MISSING}_oldest_age_seconds")) == (0, 0)
    async with harness.database.transaction() as session:
        assert await PRUNES["stripe_unrecorded_payments"](session, timedelta(0), 10) == 1
    assert await harness.rows("select 1 from stripe_unrecorded_payments") == []


async def test_what_was_set_aside_for_staff_is_not_counted_as_missing(harness: Harness, lost: Purchase) -> None:
    """Given a payment that names nobody here, then it is undecided, on staff's list, and no second alarm."""
    invoice = str(lost.stripe_invoice_id)
    await harness.client.v1.invoices.update_async(invoice, {"metadata": {"workspace_id": "nobody-s"}})

    await sweep(harness.context)
    await harness.loop.update_gauges()

    assert await harness.rows("select stripe_invoice_id from stripe_unrecorded_payments") == [
        {"stripe_invoice_id": invoice}
    ]
    assert shown(MISSING) == 0
    assert shown("billing_undecided_money_items", kind="fact") == 1


async def prune(harness: Harness) -> None:
    """As the worker does once an hour, table by table."""
    for table, one in PRUNES.items():
        await prune_all(harness.database, table, one, kept=DAYS_90, health=Health())


async def test_what_staff_discarded_pages_nobody_also_when_that_is_long_ago(harness: Harness, lost: Purchase) -> None:
    """Given a payment that staff discarded, when what was parked is deleted 90 days later, then its note is gone too.

    Until the sweep does not look at it any more, the note stays: it would be made again.
    """
    await harness.client.v1.invoices.update_async(
        str(lost.stripe_invoice_id), {"metadata": {"workspace_id": "nobody-s"}}
    )
    await sweep(harness.context)
    [item] = await harness.rows("select id from parked")
    async with harness.database.transaction() as session:
        await discard_parked(session=session, item_id=f"fact-{item['id']}", actor="stefan", reason="not ours")
    await prune(harness)
    kept = await harness.rows("select 1 from stripe_unrecorded_payments")

    await harness.execute("update parked set resolved_at = now() - interval '91 days'")
    await harness.execute("update stripe_unrecorded_payments set invoiced_at = now() - interval '91 days'")
    await prune(harness)
    await harness.loop.update_gauges()

    assert (len(kept), await harness.rows("select 1 from parked")) == (1, [])
    assert (shown(MISSING), await harness.rows("select 1 from stripe_unrecorded_payments")) == (0, [])


async def test_a_payment_of_a_bundle_is_missing_until_each_purchase_of_it_is_recorded_or_set_aside(
    harness: Harness,
) -> None:
    """Given a payment for two purchases, when staff have one of them before them, then it still counts."""
    await harness.given_a_purchase()
    await harness.execute(NOTE)
    await harness.execute(PAYMENT)
    await harness.loop.update_gauges()
    half = shown(MISSING)

    await harness.given_a_purchase()
    await harness.execute(f"{PAYMENT} on conflict do nothing")
    await harness.loop.update_gauges()

    assert (half, shown(MISSING)) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "statement", "arguments"),
    [
        ("payment", PAYMENT, {}),
        ("fact", FACT, {}),
        ("command", JOB, {"kind": "look_at_invoice", "state": "parked"}),
        ("refund", JOB, {"kind": "refund", "state": "open"}),
        ("purchase", PENDING, {}),
    ],
)
async def test_money_that_waits_for_somebody_has_an_age(
    harness: Harness, kind: str, statement: str, arguments: dict[str, str]
) -> None:
    await harness.given_a_purchase()
    await harness.settle_everything()
    await harness.loop.update_gauges()
    before = waiting()

    await harness.execute(statement, **arguments)
    await harness.loop.update_gauges()

    assert (before, waiting()) == ({}, {kind: 120})


async def test_a_job_that_nobody_takes_is_overdue(harness: Harness) -> None:
    await harness.execute(JOB, kind="adopt_card", state="open")
    await harness.loop.update_gauges()
    overdue = shown("billing_stripe_commands_overdue_seconds")

    await harness.execute("update stripe_commands set leased_until = now() + interval '1 minute'")
    await harness.loop.update_gauges()

    assert overdue == pytest.approx(7200, abs=60)
    assert shown("billing_stripe_commands_overdue_seconds") == 0


def moved() -> float:
    labels = {"from_status": "paid", "trigger": "delivered", "to_status": "delivered"}
    return REGISTRY.get_sample_value("billing_purchase_transitions_total", labels) or 0


async def test_a_move_is_counted_once_it_is_committed(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    before = moved()

    with pytest.raises(RuntimeError):
        await deliver(harness, purchase, rolled_back=True)
    rolled_back = moved() - before
    await deliver(harness, purchase)

    assert (rolled_back, moved() - before) == (0, 1)


async def deliver(harness: Harness, purchase: Purchase, *, rolled_back: bool = False) -> None:
    async with harness.database.transaction() as session:
        row = await lock_purchase(session, purchase.id)
        assert row is not None
        cause = Cause(actor="stefan", at=datetime.now(UTC))
        assert move_or_record_stale(session, row, Trigger.DELIVERED, cause=cause)
        if rolled_back:
            raise RuntimeError("the process dies here")


async def test_how_old_an_event_is_when_it_is_applied_is_measured(harness: Harness) -> None:
    """What was fetched from Stripe is not: it is as old as the question."""
    purchase = await harness.given_a_purchase()
    await harness.settle_everything()
    before = shown("billing_stripe_fact_age_seconds_count") or 0

    await sweep(harness.context)
    swept = (shown("billing_stripe_fact_age_seconds_count") or 0) - before
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=20_000)
    await harness.deliver(*await harness.facts())

    assert swept == 0
    assert (shown("billing_stripe_fact_age_seconds_count") or 0) > before
