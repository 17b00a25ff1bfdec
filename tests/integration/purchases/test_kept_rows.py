"""What was sold, its history and its money cannot be changed or deleted by the role that the service has."""

import pytest
from sqlalchemy.exc import DBAPIError

from chassis.database.database import sqlstate
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import Harness

REFUSED = "23001"
HISTORY = ("purchase_transitions", "parked_decisions")
KEPT = (
    *HISTORY,
    "workspace_addon_purchases",
    "purchase_payments",
    "purchase_charges",
    "purchase_refunds",
    "purchase_disputes",
    "purchase_parked_payments",
)
FORBIDDEN = [
    *[f"delete from {table}" for table in KEPT],
    *[f"truncate {table} cascade" for table in KEPT],
    "update purchase_transitions set actor = 'user:mallory'",
    "update parked_decisions set actor = 'user:mallory'",
    "update workspace_addon_purchases set addon_slug = 'another'",
    "update workspace_addon_purchases set price_cents = 1",
    "update workspace_addon_purchases set workspace_id = workspace_id || '2'",
    "update workspace_addon_purchases set started_at = now()",
    "update purchase_payments set paid_cents = 1",
    "update purchase_payments set currency = 'USD'",
    "update purchase_payments set stripe_invoice_id = 'in_another'",
    "update purchase_refunds set refund_cents = refund_cents - 1",
    "update purchase_refunds set refund_cents = refund_cents + 1",
    "update purchase_refunds set stripe_refund_id = 're_another'",
    "update purchase_refunds set kind = 'return'",
    "update purchase_disputes set stripe_dispute_id = 'du_another'",
]


@pytest.fixture
async def money(harness: Harness) -> Harness:
    """A purchase that was refunded in part and is disputed."""
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=700)
    await harness.control.open_dispute(invoice=purchase.stripe_invoice_id)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    assert (await harness.purchase(purchase.id)).status is Status.PAID
    return harness


async def _as_the_service(harness: Harness, statement: str) -> None:
    async with harness.database.transaction() as session:
        await (await session.connection()).exec_driver_sql(statement)


async def test_nothing_of_it_is_changed_or_deleted(money: Harness) -> None:
    before = {table: await money.rows(f"select * from {table}") for table in KEPT}

    for statement in FORBIDDEN:
        with pytest.raises(DBAPIError) as refused:
            await _as_the_service(money, statement)
        assert sqlstate(refused.value) == REFUSED, statement

    assert {table: await money.rows(f"select * from {table}") for table in KEPT} == before


async def test_a_sum_of_a_charge_gives_way_to_its_refunds_and_to_nothing_else(money: Harness) -> None:
    await money.execute("update purchase_refunds set stripe_refund_id = 'ch_1:700'")

    await _as_the_service(money, "update purchase_refunds set refund_cents = refund_cents - 200")
    with pytest.raises(DBAPIError, match="kept as it was written"):
        await _as_the_service(money, "update purchase_refunds set refund_cents = refund_cents + 200")


async def test_a_repair_by_hand_says_that_it_is_one(money: Harness) -> None:
    await money.execute("update purchase_payments set paid_cents = paid_cents")
    await money.execute("delete from purchase_transitions")

    assert await money.rows("select 1 from purchase_transitions") == []
