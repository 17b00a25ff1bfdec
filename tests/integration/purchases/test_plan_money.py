"""Money of the plan that goes back or is disputed, and is no purchase's: a row, a fact, and nothing parked."""

from collections.abc import Sequence
from typing import Any

import pytest

from contracts.stripe_facts import DisputeChanged, RefundChanged, StripeFact
from purchases.jobs.kinds import AdoptSubscriptions
from purchases.jobs.store import enqueue
from purchases.ledger import plan_money
from tests.integration.purchases.checkouts import complete, open_page, upgrade
from tests.integration.purchases.harness import INSTANCE, Harness, Json
from tests.integration.purchases.scenarios import VERSIONS
from tests.integration.purchases.test_sweep import sweep
from tests.integration.purchases.test_wake_ups import ENOUGH, awake

pytestmark = pytest.mark.usefixtures("builder")
MONTH = 900
REFUNDED, OPENED, CLOSED, PARKED = "payment_refunded", "dispute_opened", "dispute_closed", "money_back_parked"


async def subscribed(harness: Harness) -> tuple[str, str]:
    """A workspace with the plan alone, and the invoice that paid for it."""
    workspace = await harness.given_a_workspace()
    await complete(harness, (await open_page(harness, upgrade(workspace))).session_id)
    (invoice,) = await harness.rows("select * from subscription_invoices")
    return workspace, invoice["stripe_invoice_id"]


async def published(harness: Harness, workspace: str, *kinds: str) -> list[Json]:
    return [body for kind, body in await harness.workspace_facts(workspace) if kind in kinds]


async def hear(harness: Harness, facts: Sequence[StripeFact]) -> None:
    await harness.deliver(*facts)
    await harness.settle_everything()


async def test_a_refund_of_the_plan_is_a_row_and_is_published_once(harness: Harness) -> None:
    workspace, invoice = await subscribed(harness)
    refund = await harness.control.refund_as_dashboard(invoice=invoice, amount=300)

    for _ in range(2):
        await hear(harness, await harness.facts())

    (row,) = await harness.rows("select * from workspace_refunds")
    assert (row["stripe_refund_id"], row["workspace_id"], row["refund_cents"], row["status"]) == (
        refund["id"],
        workspace,
        300,
        "succeeded",
    )
    (fact,) = await published(harness, workspace, REFUNDED)
    assert (fact["refund_cents"], fact["currency"], fact["outcome"], fact["stripe_invoice_id"]) == (
        300,
        "EUR",
        "refunded",
        invoice,
    )
    assert await harness.parked() == []
    assert await harness.rows("select 1 from purchase_refunds") == []


async def test_a_dispute_of_the_plan_is_published_when_it_opens_and_when_it_is_lost(harness: Harness) -> None:
    workspace, invoice = await subscribed(harness)
    dispute = await harness.control.open_dispute(invoice=invoice)
    await hear(harness, await harness.facts())
    await harness.control.close_dispute(dispute["id"], status="lost")
    await hear(harness, [fact for fact in await harness.facts() if isinstance(fact, DisputeChanged)])

    (row,) = await harness.rows("select * from workspace_disputes")
    assert (row["workspace_id"], row["dispute_cents"], row["status"]) == (workspace, MONTH, "lost")
    assert row["evidence_due_at"] is not None
    opened, closed = await published(harness, workspace, OPENED, CLOSED)
    assert opened["evidence_due_at"] is not None
    assert (closed["outcome"], closed["dispute_cents"]) == ("lost", MONTH)
    assert await harness.parked() == []


async def test_money_that_goes_back_before_its_payment_is_heard_of_is_not_lost(harness: Harness) -> None:
    """The refund is heard of first; whose charge it is, Stripe says."""
    workspace, invoice = await subscribed(harness)
    await harness.control.refund_as_dashboard(invoice=invoice)
    await harness.execute("delete from subscription_charges")
    await harness.execute("delete from subscription_invoices")

    await hear(harness, [fact for fact in await harness.facts() if isinstance(fact, RefundChanged)])

    assert [row["refund_cents"] for row in await harness.rows("select * from workspace_refunds")] == [MONTH]
    assert len(await published(harness, workspace, REFUNDED)) == 1
    assert await harness.parked() == []


async def test_a_refund_that_fails_is_published_again(harness: Harness) -> None:
    workspace, invoice = await subscribed(harness)
    refund = await harness.control.refund_as_dashboard(invoice=invoice, amount=300)
    facts = [fact for fact in await harness.facts() if isinstance(fact, RefundChanged)]
    await hear(harness, facts)
    failed = facts[-1].refund.model_copy(update={"status": "failed", "failure_reason": "lost_or_stolen_card"})

    changes = {"stripe_event_id": "evt_failed", "refund": failed}
    await hear(harness, [facts[-1].model_copy(update=changes)])

    assert [fact["outcome"] for fact in await published(harness, workspace, REFUNDED)] == ["refunded", "failed"]
    (row,) = await harness.rows("select * from workspace_refunds")
    assert (row["stripe_refund_id"], row["status"], row["failure_reason"]) == (
        refund["id"],
        "failed",
        "lost_or_stolen_card",
    )


async def test_what_no_webhook_reported_of_the_plans_money_reconciling_finds(harness: Harness) -> None:
    workspace, invoice = await subscribed(harness)
    await harness.control.refund_as_dashboard(invoice=invoice)

    assert (await sweep(harness))["refunds"] == 1
    assert (await sweep(harness))["refunds"] == 0

    assert len(await published(harness, workspace, REFUNDED)) == 1


async def test_a_refund_in_another_currency_is_parked_once_and_mailed_about(harness: Harness) -> None:
    workspace, invoice = await subscribed(harness)
    await harness.control.refund_as_dashboard(invoice=invoice, amount=300)
    facts = [fact for fact in await harness.facts() if isinstance(fact, RefundChanged)]
    odd = facts[-1].refund.model_copy(update={"currency": "usd"})

    await hear(harness, [facts[-1].model_copy(update={"stripe_event_id": "evt_usd", "refund": odd})])

    assert await harness.rows("select 1 from workspace_refunds") == []
    assert await published(harness, workspace, REFUNDED) == []
    (parked,) = await harness.parked()
    (mailed,) = await published(harness, workspace, PARKED)
    assert (mailed["money_back_cents"], mailed["money_back_currency"], mailed["reason"]) == (
        300,
        "USD",
        parked["reason"],
    )
    assert (mailed["stripe_refund_id"], mailed["stripe_invoice_id"]) == (odd.refund_id, invoice)
    later = facts[-1].model_copy(update={"stripe_event_id": "evt_usd_again", "refund": odd})
    await hear(harness, [later])
    assert (len(await harness.parked()), len(await published(harness, workspace, PARKED))) == (1, 1)


async def test_money_of_a_subscription_that_moved_in_is_the_workspaces_too(harness: Harness) -> None:
    """It carries none of our metadata; of its payment nothing was known before it went back."""
    workspace = await harness.given_a_workspace()
    (row,) = await harness.rows("select stripe_customer_id from workspaces")
    (plan,) = await harness.rows("select prices from plans where slug = 'builder'")
    bought: Any = {"price": plan["prices"][0]["stripe_price_id"]}
    made = await harness.client.v1.subscriptions.create_async(
        {"customer": row["stripe_customer_id"], "items": [bought]}
    )
    async with harness.database.transaction() as session:
        await enqueue(session, AdoptSubscriptions(workspace_id=workspace))
    await harness.settle_everything()
    refund = await harness.control.refund_as_dashboard(invoice=str(made.latest_invoice), amount=300)

    await hear(harness, [fact for fact in await harness.facts() if isinstance(fact, RefundChanged)])

    assert await harness.parked() == []
    (kept,) = await harness.rows("select * from workspace_refunds")
    assert (kept["stripe_refund_id"], kept["workspace_id"], kept["refund_cents"]) == (refund["id"], workspace, 300)


@pytest.mark.parametrize("what", ["refund", "dispute"])
async def test_money_of_a_subscription_that_nobody_knows_is_found_by_its_price_and_customer(
    harness: Harness, what: str
) -> None:
    """Made in the Dashboard, and no event of it was heard: what it gave back was ended as nobody's."""
    workspace, made = await _made_in_the_dashboard(harness)
    if what == "refund":
        await harness.control.refund_as_dashboard(invoice=str(made.latest_invoice), amount=300)
    else:
        await harness.control.open_dispute(invoice=str(made.latest_invoice))

    await hear(harness, [fact for fact in await harness.facts() if isinstance(fact, RefundChanged | DisputeChanged)])

    (kept,) = await harness.rows(f"select workspace_id, {what}_cents as cents from workspace_{what}s")
    assert (kept["workspace_id"], kept["cents"]) == (workspace, 300 if what == "refund" else MONTH)
    (row,) = await harness.rows("select stripe_subscription_id, status from subscriptions")
    assert (row["stripe_subscription_id"], row["status"]) == (made.id, "active")
    assert await harness.parked() == []


async def test_money_of_a_subscription_of_a_workspace_that_nobody_registered_is_parked_once(harness: Harness) -> None:
    """By its metadata it is ours (a restored backup): it is kept, with what it names, and asked about no more."""
    metadata = {"quittance_instance": INSTANCE, "workspace_id": "ws-forgotten"}
    _, made = await _made_in_the_dashboard(harness, metadata=metadata)
    await harness.execute("update workspaces set stripe_customer_id = null")
    refund = await harness.control.refund_as_dashboard(invoice=str(made.latest_invoice), amount=300)

    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, RefundChanged)])

    assert await awake(harness) < ENOUGH
    (parked,) = await harness.parked()
    assert (parked["waits_for"], parked["retry_at"]) == (None, None)
    names = await harness.rows("select reference from parked_references where fact_id = :id", id=parked["fact_id"])
    assert {refund["id"], refund["charge"], refund["payment_intent"]} <= {row["reference"] for row in names}
    assert await awake(harness) == 0


async def _made_in_the_dashboard(harness: Harness, **more: Any) -> tuple[str, Any]:
    """A workspace, and a subscription of its customer at our plan's price of which nothing was heard."""
    workspace = await harness.given_a_workspace()
    (row,) = await harness.rows("select stripe_customer_id from workspaces")
    (plan,) = await harness.rows("select prices from plans where slug = 'builder'")
    items: Any = [{"price": plan["prices"][0]["stripe_price_id"]}]
    asked: Any = {"customer": row["stripe_customer_id"], "items": items, **more}
    return workspace, await harness.client.v1.subscriptions.create_async(asked)


PARTS = (400, 500)


async def renewed_in_parts(harness: Harness) -> tuple[str, list[Json]]:
    """A workspace whose renewal was paid by two charges, and these, in order."""
    workspace, _ = await subscribed(harness)
    (row,) = await harness.rows("select stripe_subscription_id from subscriptions")
    for card in (await harness.control.objects(kind="payment_method"))["payment_method"]:
        if card["customer"] is not None:
            await harness.control.change_card(card["id"], "chargeCustomerFail")
    await harness.control.renew(row["stripe_subscription_id"])
    (renewal,) = (one for one in (await harness.control.objects(kind="invoice"))["invoice"] if one["status"] == "open")
    for amount in PARTS:
        await harness.control.pay_part(renewal["id"], amount=amount)
    charges = (await harness.control.objects(kind="charge"))["charge"]
    return workspace, [one for one in charges if one["amount"] in PARTS and one["status"] == "succeeded"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("which", [0, 1])
async def test_a_refund_or_dispute_of_any_payment_of_the_plans_invoice_is_found(
    harness: Harness, which: int, version: str | None
) -> None:
    """One intent and one charge were kept for each invoice; what the others gave back went to staff."""
    workspace, charges = await renewed_in_parts(harness)
    await harness.control.refund_as_dashboard(charge=charges[which]["id"], amount=100)
    await harness.control.open_dispute(charge=charges[1 - which]["id"])

    await hear(harness, await harness.facts(version=version))

    assert await harness.parked() == []
    (refund,) = await harness.rows("select * from workspace_refunds")
    (dispute,) = await harness.rows("select * from workspace_disputes")
    assert (refund["workspace_id"], refund["refund_cents"]) == (workspace, 100)
    assert (dispute["workspace_id"], dispute["dispute_cents"]) == (workspace, PARTS[1 - which])
    assert refund["stripe_invoice_id"] == dispute["stripe_invoice_id"]


async def test_a_dispute_that_names_the_charge_only_is_asked_about_once(harness: Harness) -> None:
    """Its intent was known as the plan's, its charge was not: it asked about itself for ever."""
    workspace, invoice = await subscribed(harness)
    await harness.execute("update subscription_charges set stripe_charge_id = null")
    await harness.control.open_dispute(invoice=invoice)
    (opened,) = [fact for fact in await harness.facts() if isinstance(fact, DisputeChanged)]

    await harness.deliver(opened.model_copy(update={"payment_intent_id": None}))

    assert await awake(harness) < ENOUGH
    assert [row["workspace_id"] for row in await harness.rows("select * from workspace_disputes")] == [workspace]
    assert await harness.parked() == []


async def test_a_refund_that_names_by_hand_what_another_charge_paid_is_the_plans(harness: Harness) -> None:
    """Somebody typed a purchase into the metadata of a plan's refund: it asked about itself without end."""
    workspace, invoice = await subscribed(harness)
    other = await harness.given_a_purchase()
    await hear(harness, await harness.facts())
    metadata = {"quittance_instance": INSTANCE, "purchase_id": str(other.id)}
    await harness.control.refund_as_dashboard(invoice=invoice, amount=300, metadata=metadata)

    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, RefundChanged)])

    assert await awake(harness) < ENOUGH
    assert [row["refund_cents"] for row in await harness.rows("select * from workspace_refunds")] == [300]
    assert len(await published(harness, workspace, REFUNDED)) == 1
    assert (await harness.parked(), (await harness.purchase(other.id)).refunds) == ([], [])


async def test_a_dispute_without_an_intent_is_of_its_own_charges_invoice(harness: Harness) -> None:
    """An absent id names nothing: compared with null it named whichever invoice has none."""
    workspace, invoice = await subscribed(harness)
    await harness.execute("update subscription_charges set paid_with = 'ch_1', stripe_charge_id = 'ch_1'")

    async with harness.database.reading() as session:
        named = await plan_money.invoice_paid_with(session, payment_intent_id=None, charge_id="ch_1")
        other = await plan_money.invoice_paid_with(session, payment_intent_id=None, charge_id="ch_2")
        none = await plan_money.invoice_paid_with(session, payment_intent_id=None, charge_id=None)

    assert (named and (named.workspace_id, named.stripe_invoice_id), other, none) == ((workspace, invoice), None, None)
