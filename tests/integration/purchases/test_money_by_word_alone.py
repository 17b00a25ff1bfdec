"""Money is believed as far as its invoice fits: one that only says of itself that it paid is looked up at Stripe."""

import uuid
from typing import Any

import pytest

from contracts.purchase_facts import PaymentParked, PurchasePaid
from contracts.stripe_facts import CheckoutSessionCompleted, InvoicePaid, InvoicePaymentFailed, StripeFact
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.bundles import given_a_bundle
from tests.integration.purchases.harness import INSTANCE, PRICE, Harness
from tests.integration.purchases.subscribers import given_a_subscriber

WAITS = "pm_card_authenticationRequired"


async def pending(harness: Harness, *, knows_invoice: bool) -> Purchase:
    """A purchase whose invoice is open at Stripe: the bank wants its customer."""
    purchase = await harness.given_a_purchase(WAITS)
    await harness.put(purchase, Status.PENDING, knows_invoice=knows_invoice)
    return await harness.purchase(purchase.id)


async def paid_elsewhere(harness: Harness, **changes: Any) -> StripeFact:
    """What Stripe says of a purchase of somebody else that was paid."""
    await harness.given_a_purchase()
    paid = [fact for fact in await harness.facts() if isinstance(fact, InvoicePaid)]
    return another(paid[-1], **changes)


def another(fact: StripeFact, **changes: Any) -> StripeFact:
    return fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}"} | changes)


def naming(fact: StripeFact, purchase: Purchase, invoice_id: str) -> StripeFact:
    """The event of another invoice, with everything that would pay for `purchase`."""
    assert isinstance(fact, InvoicePaid)
    lines = tuple(line.model_copy(update={"purchase_id": str(purchase.id)}) for line in fact.lines)
    names = {"purchase_id": str(purchase.id), "workspace_id": purchase.workspace_id}
    return another(
        fact, invoice_id=invoice_id, object_id=invoice_id, customer_id=purchase.stripe_customer_id, lines=lines, **names
    )


async def nothing_moved(harness: Harness, purchase: Purchase) -> bool:
    row = await harness.purchase(purchase.id)
    return (row.status, row.payable, row.payments) == (Status.PENDING, True, [])


@pytest.mark.parametrize("knows_invoice", [True, False], ids=["stores another", "stores none"])
async def test_an_invoice_that_stripe_does_not_know_pays_nothing_and_the_team_is_mailed(
    harness: Harness, knows_invoice: bool
) -> None:
    purchase = await pending(harness, knows_invoice=knows_invoice)
    forged = naming(await paid_elsewhere(harness), purchase, "in_forged")

    await harness.deliver(forged, another(forged))
    assert await nothing_moved(harness, purchase)
    await harness.run_jobs()

    assert await nothing_moved(harness, purchase)
    (published,) = await harness.published(kind=PaymentParked)
    assert (
        published["stripe_invoice_id"],
        published["amount_paid_cents"],
        published["amount_paid_currency"],
    ) == ("in_forged", PRICE, "EUR")
    assert [one["state"] for one in await harness.jobs("look_at_invoice")] == ["done"]


@pytest.mark.parametrize("fault", ["close_before", "error_before", "rate_limit"])
async def test_while_stripe_does_not_answer_nothing_moves_and_the_look_is_repeated(
    harness: Harness, fault: str
) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)
    await harness.control.fault(fault, operation="invoices.retrieve", times=8)

    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, InvoicePaid)])
    await harness.execute("update stripe_commands set due_at = now() where state = 'open'")
    await harness.loop.do_one()

    assert await nothing_moved(harness, purchase)
    assert [one["state"] for one in await harness.jobs("look_at_invoice")] == ["open"]
    await harness.control.reset_faults()
    await harness.settle_everything()
    assert Status.PAID is (await harness.purchase(purchase.id)).status
    assert len(await harness.published(kind=PurchasePaid)) == 1


async def test_an_invoice_that_is_open_at_stripe_pays_nothing_whatever_its_event_says(harness: Harness) -> None:
    purchase = await pending(harness, knows_invoice=False)
    (open_invoice,) = (await harness.control.objects(kind="invoice"))["invoice"]
    forged = naming(await paid_elsewhere(harness), purchase, open_invoice["id"])

    await harness.deliver(forged)
    await harness.settle_everything()

    assert Status.PENDING is (await harness.purchase(purchase.id)).status
    assert await harness.published(kind=PaymentParked) == []


UNPAID: dict[str, dict[str, Any]] = {
    "open": {"status": "open"},
    "draft": {"status": "draft"},
    "void": {"status": "void"},
    "something remaining": {"amount_remaining": 1},
    "less than due": {"amount_paid": PRICE - 1, "amount_remaining": None},
    "no status, and something remaining": {"status": None, "amount_remaining": PRICE},
}


@pytest.mark.parametrize("what", UNPAID)
async def test_an_event_that_does_not_say_paid_in_full_has_stripe_asked_once(harness: Harness, what: str) -> None:
    """Stripe says paid: then it is, whatever the event said."""
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    paid = [another(fact, **UNPAID[what]) for fact in await harness.facts() if isinstance(fact, InvoicePaid)]
    assert len(paid) == 2

    await harness.deliver(*paid)

    assert await nothing_moved(harness, purchase)
    assert [one["subject"] for one in await harness.jobs("settle")] == [str(purchase.id)]
    await harness.run_jobs()
    assert Status.PAID is (await harness.purchase(purchase.id)).status


async def test_an_event_that_says_open_of_what_is_open_moves_nothing(harness: Harness) -> None:
    purchase = await pending(harness, knows_invoice=True)
    said = naming(await paid_elsewhere(harness), purchase, str(purchase.stripe_invoice_id))

    await harness.deliver(another(said, status="open", amount_paid=0, amount_remaining=PRICE))
    await harness.run_jobs()

    assert Status.PENDING is (await harness.purchase(purchase.id)).status
    assert await harness.published(kind=PaymentParked) == []


async def test_what_a_failure_says_of_its_invoice_does_not_make_it_the_purchases_own(harness: Harness) -> None:
    """A chain of two forged events: the first names the invoice, the second pays it."""
    purchase = await pending(harness, knows_invoice=False)
    forged = naming(await paid_elsewhere(harness), purchase, "in_forged")
    assert isinstance(forged, InvoicePaid)
    unpaid = another(forged, status="open", amount_paid=0)

    await harness.deliver(unpaid)
    await harness.deliver(forged)
    await harness.run_jobs()

    row = await harness.purchase(purchase.id)
    assert (row.status, row.payments) == (Status.PENDING, [])
    assert row.stripe_invoice_id != "in_forged"


async def test_an_invoice_of_the_stripe_account_that_really_was_paid_pays_though_the_row_stores_another(
    harness: Harness,
) -> None:
    """Somebody copied the invoice in the Dashboard and the customer paid the copy: Stripe knows it, and it fits."""
    purchase = await pending(harness, knows_invoice=True)
    api, customer = harness.client.v1, str(purchase.stripe_customer_id)
    await harness.give_card(customer, "pm_card_visa")
    metadata = {"quittance_instance": INSTANCE, "purchase_id": str(purchase.id), "workspace_id": purchase.workspace_id}
    copy = await api.invoices.create_async({"customer": customer, "currency": "eur", "metadata": metadata})
    item: Any = {"customer": customer, "invoice": copy.id, "amount": PRICE, "currency": "eur", "metadata": metadata}
    await api.invoice_items.create_async(item)
    await api.invoices.pay_async(str(copy.id))

    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, InvoicePaid)])
    await harness.settle_everything()

    assert Status.PAID is (await harness.purchase(purchase.id)).status


FORGED = "cs_test_forged"


async def test_a_session_that_only_says_that_it_is_ours_sells_nothing_and_stamps_nothing(harness: Harness) -> None:
    bundle = await given_a_bundle(harness)
    completed = [fact for fact in await harness.facts() if isinstance(fact, CheckoutSessionCompleted)]
    names = {"session_id": FORGED, "object_id": FORGED, "subscription_id": "sub_forged", "invoice_id": "in_forged"}
    forged = another(completed[0], **names)

    await harness.deliver(forged)
    await harness.settle_everything()

    rows = [await harness.purchase(one.id) for one in bundle]
    assert {(row.status, row.payable, row.stripe_invoice_id, row.stripe_subscription_id) for row in rows} == {
        (Status.PENDING, True, None, None)
    }
    assert [row["plan"] for row in await harness.rows("select plan from workspaces")] == ["free"]
    assert await harness.rows("select 1 from subscriptions") == []


@pytest.mark.parametrize("kind", [InvoicePaid, InvoicePaymentFailed])
@pytest.mark.parametrize("reason", ["subscription_create", "subscription_cycle"])
async def test_an_invoice_of_a_subscription_that_stripe_does_not_know_grants_no_plan(
    harness: Harness, kind: type[InvoicePaid] | type[InvoicePaymentFailed], reason: str
) -> None:
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    paid = next(fact for fact in await harness.facts() if isinstance(fact, InvoicePaid))
    members = paid.model_dump() | {"subscription_id": "sub_forged", "invoice_id": "in_forged", "billing_reason": reason}

    await harness.deliver(kind.model_validate(members))
    await harness.settle_everything()

    assert (await subscriber.plan(), await subscriber.rows()) == ("free", [])
