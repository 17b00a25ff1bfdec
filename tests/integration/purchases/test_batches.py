"""The worker's batches: once, in one order of locks, at the same cost whatever their size, and never stopped by one."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from chassis.outbox import parked
from contracts.purchase_facts import PurchasePaid
from contracts.stripe_facts import InvoicePaid, InvoicePaymentFailed, InvoicePaymentLinked, StripeFact
from purchases.batch.context import CONSUMER
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.scenarios import LEGACY


async def _paid_facts(harness: Harness, purchases: int) -> list[StripeFact]:
    """The payments of so many workspaces, all still pending here."""
    bought = [await harness.given_a_purchase() for _ in range(purchases)]
    for purchase in bought:
        await harness.put(purchase, Status.PENDING, knows_invoice=True)
    return [fact for fact in await harness.facts() if isinstance(fact, InvoicePaid)]


async def _statuses(harness: Harness) -> set[str]:
    return {row["status"] for row in await harness.rows("select status from workspace_addon_purchases")}


async def test_the_same_event_twenty_times_in_parallel_is_one_transition(harness: Harness) -> None:
    facts = await _paid_facts(harness, 1)

    await asyncio.gather(*(harness.deliver(*facts) for _ in range(20)))

    assert await _statuses(harness) == {"paid"}
    assert len(await harness.published(kind=PurchasePaid)) == 1
    assert len(await harness.rows("select 1 from purchase_transitions where to_status = 'paid'")) == 1


async def test_batches_in_opposite_orders_do_not_stop_each_other(harness: Harness) -> None:
    facts = await _paid_facts(harness, 6)

    await asyncio.gather(*(harness.deliver(*(facts if number % 2 else facts[::-1])) for number in range(8)))

    assert await _statuses(harness) == {"paid"}
    assert len(await harness.published(kind=PurchasePaid)) == 6


@contextmanager
def counted(harness: Harness) -> Iterator[list[str]]:
    """The statements that reach PostgreSQL."""
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    engine = harness.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def test_a_batch_of_payments_costs_the_same_statements_whatever_its_size(harness: Harness) -> None:
    facts = await _paid_facts(harness, 8)
    one, many = facts[:2], facts[2:]

    with counted(harness) as small:
        await harness.deliver(*one)
    with counted(harness) as large:
        await harness.deliver(*many)

    assert await _statuses(harness) == {"paid"}
    assert len(large) <= len(small) + 1


async def test_a_batch_of_strangers_invoices_costs_the_same_statements_whatever_its_size(harness: Harness) -> None:
    (fact, *_) = await _paid_facts(harness, 1)

    def stranger() -> StripeFact:
        name = uuid.uuid4().hex
        foreign = {"stripe_event_id": f"evt_{name}", "customer_id": f"cus_{name}", "invoice_id": f"in_{name}"}
        return fact.model_copy(update=foreign | {"quittance_instance": None, "purchase_id": None, "lines": ()})

    with counted(harness) as small:
        await harness.deliver(stranger())
    with counted(harness) as large:
        await harness.deliver(*(stranger() for _ in range(50)))

    assert len(large) == len(small)
    assert not [statement for statement in large if "advisory" in statement]


async def test_one_bad_fact_is_parked_and_the_others_are_applied(harness: Harness) -> None:
    facts = await _paid_facts(harness, 3)
    poison = facts[0].model_copy(update={"stripe_event_id": "evt_\x00", "invoice_id": "in_\x00", "purchase_id": None})

    await harness.deliver(facts[0], poison, *facts[1:])

    assert await _statuses(harness) == {"paid"}
    assert len(await harness.rows("select 1 from parked where resolved_at is null")) == 1


async def _late_failure(harness: Harness) -> tuple[Purchase, InvoicePaymentFailed]:
    """A purchase that is paid, and a declined attempt to pay it."""
    purchase = await harness.given_a_purchase("pm_card_chargeCustomerFail")
    assert purchase.status is Status.FAILED
    (failed,) = [fact for fact in await harness.facts(version=LEGACY) if isinstance(fact, InvoicePaymentFailed)]
    paid = await harness.given_a_purchase()
    of_it = {"invoice_id": paid.stripe_invoice_id, "purchase_id": str(paid.id), "lines": ()}
    return paid, failed.model_copy(update=of_it)


async def test_a_late_failure_of_a_paid_purchase_is_stale(harness: Harness) -> None:
    paid, failure = await _late_failure(harness)

    await harness.deliver(failure)

    assert (await harness.purchase(paid.id)).status is Status.PAID
    (line,) = await harness.rows("select * from purchase_transitions where stale")
    assert (line["trigger"], line["stripe_event_id"]) == ("payment_failed", failure.stripe_event_id)


async def test_a_stale_fact_that_is_delivered_again_stands_once_in_the_history(harness: Harness) -> None:
    _, failure = await _late_failure(harness)

    await harness.deliver(failure)
    await harness.deliver(failure, failure)

    assert len(await harness.rows("select 1 from purchase_transitions where stale")) == 1


async def test_what_one_fact_teaches_the_next_one_of_its_batch_knows(harness: Harness) -> None:
    """The row knows its invoice alone; the link behind the payment names the intent that paid it."""
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    facts = [fact for fact in await harness.facts() if isinstance(fact, InvoicePaid | InvoicePaymentLinked)]

    await harness.deliver(*sorted(facts, key=lambda fact: isinstance(fact, InvoicePaymentLinked)))

    row = await harness.purchase(purchase.id)
    assert row.stripe_payment_intent_id == purchase.stripe_payment_intent_id
    assert row.payments[0].charges[0].stripe_payment_intent_id == purchase.stripe_payment_intent_id


async def test_who_parks_and_who_stores_the_id_do_not_miss_each_other(harness: Harness) -> None:
    """A refund of an unknown payment comes in while the payment is being stored."""
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    facts = await harness.facts(version=LEGACY)
    paid = [fact for fact in facts if isinstance(fact, InvoicePaid)]

    await asyncio.gather(harness.deliver(*[fact for fact in facts if fact not in paid]), harness.deliver(*paid))
    while await harness.consumer._retry_one():
        pass

    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED
    assert await harness.parked() == []


async def test_a_release_passes_over_a_fact_that_is_being_tried(harness: Harness) -> None:
    """The one holds the parked row and wants the purchase, the other the purchase and the parked row: a deadlock."""
    (fact, *_) = await _paid_facts(harness, 1)
    await harness.deliver(fact.model_copy(update={"purchase_id": str(uuid.uuid4()), "invoice_id": "in_x", "lines": ()}))
    await harness.execute("update parked set retry_at = now()")
    (waiting,) = await harness.parked()

    async with harness.database.transaction() as trying, harness.database.transaction() as storing:
        assert await parked.take_due(trying, consumer=CONSUMER) is not None
        await parked.lock_ids(storing, [waiting["waits_for"]])
        released = await asyncio.wait_for(parked.release(storing, ids=[waiting["waits_for"]]), 5)

    assert released == 0
