"""The worker's batches: once, in one order of locks, at the same cost whatever their size, and never stopped by one."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from chassis.outbox import parked
from contracts.purchase_facts import PurchasePaid
from contracts.stripe_facts import InvoicePaid, InvoicePaymentFailed, InvoicePaymentLinked, StripeFact
from purchases.batch.work import CONSUMER
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import World
from tests.integration.purchases.scenarios import LEGACY


async def _paid_facts(world: World, purchases: int) -> list[StripeFact]:
    """The payments of so many workspaces, all still pending here."""
    bought = [await world.given_a_purchase() for _ in range(purchases)]
    for purchase in bought:
        await world.put(purchase, Status.PENDING, knows_invoice=True)
    return [fact for fact in await world.facts() if isinstance(fact, InvoicePaid)]


async def _statuses(world: World) -> set[str]:
    return {row["status"] for row in await world.rows("select status from workspace_addon_purchases")}


async def test_the_same_event_twenty_times_in_parallel_is_one_transition(world: World) -> None:
    facts = await _paid_facts(world, 1)

    await asyncio.gather(*(world.tell(*facts) for _ in range(20)))

    assert await _statuses(world) == {"paid"}
    assert len(await world.told(kind=PurchasePaid)) == 1
    assert len(await world.rows("select 1 from purchase_transitions where to_status = 'paid'")) == 1


async def test_batches_in_opposite_orders_do_not_stop_each_other(world: World) -> None:
    facts = await _paid_facts(world, 6)

    await asyncio.gather(*(world.tell(*(facts if number % 2 else facts[::-1])) for number in range(8)))

    assert await _statuses(world) == {"paid"}
    assert len(await world.told(kind=PurchasePaid)) == 6


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that reach PostgreSQL."""
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    engine = world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def test_a_batch_of_payments_costs_the_same_statements_whatever_its_size(world: World) -> None:
    facts = await _paid_facts(world, 8)
    one, many = facts[:2], facts[2:]

    with counted(world) as small:
        await world.tell(*one)
    with counted(world) as large:
        await world.tell(*many)

    assert await _statuses(world) == {"paid"}
    assert len(large) <= len(small) + 1


async def test_a_batch_of_strangers_invoices_costs_the_same_statements_whatever_its_size(world: World) -> None:
    (fact, *_) = await _paid_facts(world, 1)

    def stranger() -> StripeFact:
        name = uuid.uuid4().hex
        foreign = {"stripe_event_id": f"evt_{name}", "customer_id": f"cus_{name}", "invoice_id": f"in_{name}"}
        return fact.model_copy(update=foreign | {"quittance_instance": None, "purchase_id": None, "lines": ()})

    with counted(world) as small:
        await world.tell(stranger())
    with counted(world) as large:
        await world.tell(*(stranger() for _ in range(50)))

    assert len(large) == len(small)
    assert not [statement for statement in large if "advisory" in statement]


async def test_one_bad_fact_is_parked_and_the_others_are_applied(world: World) -> None:
    facts = await _paid_facts(world, 3)
    poison = facts[0].model_copy(update={"stripe_event_id": "evt_\x00", "invoice_id": "in_\x00", "purchase_id": None})

    await world.tell(facts[0], poison, *facts[1:])

    assert await _statuses(world) == {"paid"}
    assert len(await world.rows("select 1 from parked where resolved_at is null")) == 1


async def test_a_late_failure_of_a_paid_purchase_is_stale(world: World) -> None:
    purchase = await world.given_a_purchase("pm_card_chargeCustomerFail")
    failed = [fact for fact in await world.facts(version=LEGACY) if isinstance(fact, InvoicePaymentFailed)]
    paid = await world.given_a_purchase()
    as_paid = [
        fact.model_copy(update={"invoice_id": paid.stripe_invoice_id, "purchase_id": str(paid.id), "lines": ()})
        for fact in failed
    ]
    assert purchase.status is Status.FAILED

    await world.tell(*as_paid)

    assert (await world.purchase(paid.id)).status is Status.PAID
    (line,) = await world.rows("select * from purchase_transitions where stale")
    assert (line["trigger"], line["stripe_event_id"]) == ("payment_failed", as_paid[0].stripe_event_id)


async def test_what_one_fact_teaches_the_next_one_of_its_batch_knows(world: World) -> None:
    """The row knows its invoice alone; the link behind the payment names the intent that paid it."""
    purchase = await world.given_a_purchase()
    await world.put(purchase, Status.PENDING, knows_invoice=True)
    facts = [fact for fact in await world.facts() if isinstance(fact, InvoicePaid | InvoicePaymentLinked)]

    await world.tell(*sorted(facts, key=lambda fact: isinstance(fact, InvoicePaymentLinked)))

    row = await world.purchase(purchase.id)
    assert row.stripe_payment_intent_id == purchase.stripe_payment_intent_id
    assert row.payments[0].charges[0].stripe_payment_intent_id == purchase.stripe_payment_intent_id


async def test_who_parks_and_who_stores_the_id_do_not_miss_each_other(world: World) -> None:
    """A refund of an unknown payment comes in while the payment is being stored."""
    purchase = await world.given_a_purchase()
    await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await world.put(purchase, Status.PENDING, knows_invoice=True)
    facts = await world.facts(version=LEGACY)
    paid = [fact for fact in facts if isinstance(fact, InvoicePaid)]

    await asyncio.gather(world.tell(*[fact for fact in facts if fact not in paid]), world.tell(*paid))
    while await world.consumer._retry_one():
        pass

    assert (await world.purchase(purchase.id)).status is Status.REFUNDED
    assert await world.parked() == []


async def test_a_release_passes_over_a_fact_that_is_being_tried(world: World) -> None:
    """The one holds the parked row and wants the purchase, the other the purchase and the parked row: a deadlock."""
    (fact, *_) = await _paid_facts(world, 1)
    await world.tell(fact.model_copy(update={"purchase_id": str(uuid.uuid4()), "invoice_id": "in_x", "lines": ()}))
    await world.execute("update parked set retry_at = now()")
    (waiting,) = await world.parked()

    async with world.database.transaction() as trying, world.database.transaction() as storing:
        assert await parked.take_due(trying, consumer=CONSUMER) is not None
        await parked.lock_ids(storing, [waiting["waits_for"]])
        released = await asyncio.wait_for(parked.release(storing, ids=[waiting["waits_for"]]), 5)

    assert released == 0
