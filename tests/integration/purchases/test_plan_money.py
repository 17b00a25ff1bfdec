"""Money of the plan that goes back or is disputed, and is no purchase's: a row, a fact, and nothing parked."""

from collections.abc import Sequence
from typing import Any

import pytest

from contracts.stripe_facts import DisputeChanged, RefundChanged, StripeFact
from purchases.store import commands, plan_money
from tests.integration.purchases.checkouts import complete, open_page, upgrade
from tests.integration.purchases.test_sweep import sweep
from tests.integration.purchases.world import Json, World

pytestmark = pytest.mark.usefixtures("builder")
MONTH = 900
REFUNDED, OPENED, CLOSED = "payment_refunded", "dispute_opened", "dispute_closed"


async def subscribed(world: World) -> tuple[str, str]:
    """A workspace with the plan alone, and the invoice that paid for it."""
    workspace = await world.given_a_workspace()
    await complete(world, (await open_page(world, upgrade(workspace))).session_id)
    (invoice,) = await world.rows("select * from subscription_invoices")
    return workspace, invoice["stripe_invoice_id"]


async def told(world: World, workspace: str, *kinds: str) -> list[Json]:
    return [body for kind, body in await world.workspace_facts(workspace) if kind in kinds]


async def hear(world: World, facts: Sequence[StripeFact]) -> None:
    await world.tell(*facts)
    await world.settle_everything()


async def test_a_refund_of_the_plan_is_a_row_and_is_told_once(world: World) -> None:
    workspace, invoice = await subscribed(world)
    refund = await world.control.refund_as_dashboard(invoice=invoice, amount=300)

    for _ in range(2):
        await hear(world, await world.facts())

    (row,) = await world.rows("select * from workspace_refunds")
    assert (row["stripe_refund_id"], row["workspace_id"], row["refund_cents"], row["status"]) == (
        refund["id"],
        workspace,
        300,
        "succeeded",
    )
    (fact,) = await told(world, workspace, REFUNDED)
    assert (fact["refund_cents"], fact["currency"], fact["outcome"], fact["stripe_invoice_id"]) == (
        300,
        "EUR",
        "refunded",
        invoice,
    )
    assert await world.parked() == []
    assert await world.rows("select 1 from purchase_refunds") == []


async def test_a_dispute_of_the_plan_is_told_when_it_opens_and_when_it_is_lost(world: World) -> None:
    workspace, invoice = await subscribed(world)
    dispute = await world.control.open_dispute(invoice=invoice)
    await hear(world, await world.facts())
    await world.control.close_dispute(dispute["id"], status="lost")
    await hear(world, [fact for fact in await world.facts() if isinstance(fact, DisputeChanged)])

    (row,) = await world.rows("select * from workspace_disputes")
    assert (row["workspace_id"], row["dispute_cents"], row["status"]) == (workspace, MONTH, "lost")
    assert row["evidence_due_at"] is not None
    opened, closed = await told(world, workspace, OPENED, CLOSED)
    assert opened["evidence_due_at"] is not None
    assert (closed["outcome"], closed["dispute_cents"]) == ("lost", MONTH)
    assert await world.parked() == []


async def test_money_that_goes_back_before_its_payment_is_heard_of_is_not_lost(world: World) -> None:
    """The refund is heard of first; whose charge it is, Stripe says."""
    workspace, invoice = await subscribed(world)
    await world.control.refund_as_dashboard(invoice=invoice)
    await world.execute("delete from subscription_invoices")

    await hear(world, [fact for fact in await world.facts() if isinstance(fact, RefundChanged)])

    assert [row["refund_cents"] for row in await world.rows("select * from workspace_refunds")] == [MONTH]
    assert len(await told(world, workspace, REFUNDED)) == 1
    assert await world.parked() == []


async def test_a_refund_that_fails_is_told_again(world: World) -> None:
    workspace, invoice = await subscribed(world)
    refund = await world.control.refund_as_dashboard(invoice=invoice, amount=300)
    facts = [fact for fact in await world.facts() if isinstance(fact, RefundChanged)]
    await hear(world, facts)
    failed = facts[-1].refund.model_copy(update={"status": "failed", "failure_reason": "lost_or_stolen_card"})

    changes = {"stripe_event_id": "evt_failed", "refund": failed}
    await hear(world, [facts[-1].model_copy(update=changes)])

    assert [fact["outcome"] for fact in await told(world, workspace, REFUNDED)] == ["refunded", "failed"]
    (row,) = await world.rows("select * from workspace_refunds")
    assert (row["stripe_refund_id"], row["status"], row["failure_reason"]) == (
        refund["id"],
        "failed",
        "lost_or_stolen_card",
    )


async def test_what_no_webhook_told_of_the_plans_money_the_sweep_finds(world: World) -> None:
    workspace, invoice = await subscribed(world)
    await world.control.refund_as_dashboard(invoice=invoice)

    assert (await sweep(world))["refunds"] == 1
    assert (await sweep(world))["refunds"] == 0

    assert len(await told(world, workspace, REFUNDED)) == 1


async def test_a_refund_in_another_currency_is_parked(world: World) -> None:
    workspace, invoice = await subscribed(world)
    await world.control.refund_as_dashboard(invoice=invoice, amount=300)
    facts = [fact for fact in await world.facts() if isinstance(fact, RefundChanged)]
    odd = facts[-1].refund.model_copy(update={"currency": "usd"})

    await hear(world, [facts[-1].model_copy(update={"stripe_event_id": "evt_usd", "refund": odd})])

    assert await world.rows("select 1 from workspace_refunds") == []
    assert await told(world, workspace, REFUNDED) == []
    assert len(await world.parked()) == 1


async def test_money_of_a_subscription_that_moved_in_is_the_workspaces_too(world: World) -> None:
    """It carries none of our metadata; of its payment nothing was known before it went back."""
    workspace = await world.given_a_workspace()
    (row,) = await world.rows("select stripe_customer_id from workspaces")
    (plan,) = await world.rows("select prices from plans where slug = 'builder'")
    bought: Any = {"price": plan["prices"][0]["stripe_price_id"]}
    made = await world.client.v1.subscriptions.create_async({"customer": row["stripe_customer_id"], "items": [bought]})
    async with world.database.transaction() as session:
        await commands.ask(session, kind="adopt_subscriptions", subject=workspace)
    await world.settle_everything()
    refund = await world.control.refund_as_dashboard(invoice=str(made.latest_invoice), amount=300)

    await hear(world, [fact for fact in await world.facts() if isinstance(fact, RefundChanged)])

    assert await world.parked() == []
    (kept,) = await world.rows("select * from workspace_refunds")
    assert (kept["stripe_refund_id"], kept["workspace_id"], kept["refund_cents"]) == (refund["id"], workspace, 300)


async def test_a_second_payment_of_the_plans_invoice_goes_to_staff_and_is_not_ended_as_nobodys(world: World) -> None:
    _, invoice = await subscribed(world)
    await world.execute("update subscription_invoices set stripe_payment_intent_id = 'pi_1', stripe_charge_id = 'ch_1'")
    await world.control.refund_as_dashboard(invoice=invoice, amount=300)

    await hear(world, [fact for fact in await world.facts() if isinstance(fact, RefundChanged)])

    (parked,) = await world.parked()
    assert invoice in parked["reason"]
    assert (parked["waits_for"], parked["retry_at"]) == (None, None)


async def test_a_dispute_without_an_intent_is_of_its_own_charges_invoice(world: World) -> None:
    """An absent id names nothing: compared with null it named whichever invoice has none."""
    workspace, invoice = await subscribed(world)
    await world.execute("update subscription_invoices set stripe_payment_intent_id = null, stripe_charge_id = 'ch_1'")

    async with world.database.reading() as session:
        named = await plan_money.invoice_paid_with(session, payment_intent_id=None, charge_id="ch_1")
        other = await plan_money.invoice_paid_with(session, payment_intent_id=None, charge_id="ch_2")
        none = await plan_money.invoice_paid_with(session, payment_intent_id=None, charge_id=None)

    assert (named and (named.workspace_id, named.stripe_invoice_id), other, none) == ((workspace, invoice), None, None)
