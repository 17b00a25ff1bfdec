"""Parked facts under many hands at once: who tries one, who ends it and who stores its id never stop each other."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, text

from chassis.database.database import sqlstate
from chassis.outbox import parked
from chassis.process.process import background
from contracts.stripe_facts import ChargeRefunded, InvoicePaid, RefundChanged, StripeFact
from contracts.stripe_facts.money_back import RefundSnapshot
from purchases.batch.context import CONSUMER
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.scenarios import LEGACY

PAYMENTS = 100
DEADLOCK = "40P01"
STILL_ASKED = "select 1 from stripe_commands where kind = 'identify' and state = 'open' limit 1"


def _refunds_of_another_product(number: int) -> list[RefundChanged | ChargeRefunded]:
    """The three events of one refund, of a payment that is not ours."""
    name = f"{number}_{uuid.uuid4().hex}"
    common: dict[str, Any] = {
        "api_version": "2025-09-30.clover",
        "livemode": False,
        "occurred_at": datetime.now(UTC),
        "charge_id": f"ch_{name}",
        "payment_intent_id": f"pi_{name}",
    }
    snapshot = RefundSnapshot(refund_id=f"re_{name}", amount=700, currency="eur", status="succeeded")
    changes = [
        RefundChanged(
            stripe_event_id=f"evt_{kind}_{name}",
            stripe_event_type=kind,
            object_id=f"re_{name}",
            refund=snapshot,
            **common,
        )
        for kind in ("refund.created", "refund.updated")
    ]
    charge = ChargeRefunded(
        stripe_event_id=f"evt_{name}",
        stripe_event_type="charge.refunded",
        object_id=f"ch_{name}",
        amount=700,
        amount_refunded=700,
        currency="eur",
        **common,
    )
    return [*changes, charge]


@contextmanager
def deadlocks(harness: Harness) -> Iterator[list[str]]:
    """The statements that PostgreSQL ended because two transactions waited for each other."""
    found: list[str] = []

    def note(context: Any) -> None:
        if sqlstate(context.original_exception) == DEADLOCK:
            found.append(str(context.statement))

    engine = harness.database.engine.sync_engine
    event.listen(engine, "handle_error", note)
    yield found
    event.remove(engine, "handle_error", note)


async def until_quiet(harness: Harness) -> None:
    while await harness.rows(STILL_ASKED) or await harness.parked():  # noqa: ASYNC110 - what ends it is in the database
        await asyncio.sleep(0.05)


async def test_300_refunds_of_another_product_are_left_alone_without_a_deadlock(harness: Harness) -> None:
    """Four workers end what another loop tries again at the same time."""
    facts = [fact for number in range(PAYMENTS) for fact in _refunds_of_another_product(number)]
    await harness.deliver(*facts)
    assert len(await harness.parked()) == len(facts)
    await harness.execute("update parked set retry_at = now()")

    with deadlocks(harness) as found:
        async with harness.loop.running(), background("parked", harness.consumer._retry_parked), asyncio.timeout(60):
            await until_quiet(harness)

    assert found == []
    assert {row["resolution"] for row in await harness.rows("select resolution from parked")} == {"not ours"}


async def test_ending_passes_over_a_fact_that_is_being_tried(harness: Harness) -> None:
    """The one holds the parked row and wants the id's lock, the other the id's lock and the parked row."""
    fact, *_ = _refunds_of_another_product(1)
    await harness.deliver(fact)
    await harness.execute("update parked set retry_at = now()")
    ids = [str(fact.payment_intent_id)]

    async with harness.database.transaction() as trying, harness.database.transaction() as ending:
        assert await parked.take_due(trying, consumer=CONSUMER) is not None
        await parked.lock_ids(ending, ids)
        ended = await asyncio.wait_for(parked.discard(ending, ids=ids, resolution="not ours"), 5)

    assert ended == 0


WAITING = """
    select count(distinct pid) from pg_locks
    where not granted and (locktype = 'advisory' or relation = 'parked'::regclass)
"""


async def _paid_and_refunded(harness: Harness) -> tuple[Purchase, StripeFact, StripeFact]:
    """A purchase that is pending here, its payment, and a refund that names the payment by its intent alone."""
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    facts = [fact for fact in await harness.facts(version=LEGACY) if _is_about(fact, purchase)]
    paid = next(fact for fact in facts if isinstance(fact, InvoicePaid))
    refunded = next(fact for fact in facts if isinstance(fact, RefundChanged))
    return purchase, paid, refunded


def _is_about(fact: StripeFact, purchase: Purchase) -> bool:
    return isinstance(fact, InvoicePaid | RefundChanged) and fact.payment_intent_id == purchase.stripe_payment_intent_id


async def test_two_batches_may_each_store_what_a_refund_of_the_other_waits_for(harness: Harness) -> None:
    """Both hold what they park on when they store: each payment's intent is locked with it, or they deadlock."""
    (one, one_paid, one_refunded), (other, other_paid, other_refunded) = [
        await _paid_and_refunded(harness) for _ in range(2)
    ]
    for purchase in (one, other):
        await harness.put(purchase, Status.PENDING, knows_invoice=True)

    with deadlocks(harness) as found:
        async with harness.database.transaction() as nothing_is_parked_yet:
            await nothing_is_parked_yet.execute(text("lock table parked in share mode"))
            batches = [
                asyncio.create_task(harness.deliver(one_refunded, other_paid)),
                asyncio.create_task(harness.deliver(other_refunded, one_paid)),
            ]
            async with asyncio.timeout(10):
                while await harness.rows(WAITING) != [{"count": len(batches)}]:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.02)
        await asyncio.gather(*batches)

    assert found == []
    await harness.settle_everything()
    assert [(await harness.purchase(row.id)).status for row in (one, other)] == [Status.REFUNDED] * 2
    assert await harness.parked() == []
