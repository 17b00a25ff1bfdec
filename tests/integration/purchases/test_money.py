"""Money that comes too late or twice: it goes back, once, and the sale stands."""

import uuid
from collections import Counter
from typing import Any

import pytest

from contracts.purchase_facts import PaymentReturned, PurchasePaid, PurchaseRefunded, RefundIssued
from contracts.stripe_facts import InvoicePaid, RefundChanged
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import INSTANCE, PRICE, Harness
from tests.integration.purchases.scenarios import LEGACY

NEEDS_CUSTOMER = "pm_card_authenticationRequired"


async def _paid_after(harness: Harness, status: Status) -> Purchase:
    """A purchase that was over when its customer paid."""
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.put(purchase, status)
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    return purchase


async def _paid_twice(harness: Harness, purchase: Purchase) -> str:
    """Somebody copies the invoice in the Dashboard, metadata and all, and the customer pays that too."""
    api, customer = harness.client.v1, str(purchase.stripe_customer_id)
    metadata = {
        "quittance_instance": INSTANCE,
        "purchase_id": str(purchase.id),
        "workspace_id": purchase.workspace_id,
        "addon_slug": purchase.addon_slug,
    }
    invoice = await api.invoices.create_async({"customer": customer, "currency": "eur", "metadata": metadata})
    await api.invoice_items.create_async(
        {"customer": customer, "invoice": invoice.id, "amount": PRICE, "currency": "eur", "metadata": metadata}
    )
    await api.invoices.pay_async(str(invoice.id))
    return str(invoice.id)


def _refunds_by_payment(refunds: list[dict[str, Any]]) -> Counter[str]:
    return Counter(one["payment_intent"] for one in refunds)


@pytest.mark.parametrize("version", [None, LEGACY])
async def test_late_money_of_a_cancelled_purchase_goes_back_once(harness: Harness, version: str | None) -> None:
    purchase = await _paid_after(harness, Status.CANCELLED)

    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()
    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, row.paid_cents, row.payable) == (Status.CANCELLED, None, False)
    assert [(one.kind, one.refund_cents) for one in row.refunds] == [("return", PRICE)]
    assert (await harness.control.sums())["total"] == {
        "eur": {"captured": PRICE, "refunded": PRICE, "payments": 1, "refunds": 1}
    }
    assert len(await harness.published(kind=PaymentReturned)) == 1
    assert len(await harness.published(kind=RefundIssued)) == 1


async def test_late_money_of_a_failed_purchase_pays_it_while_its_slot_is_free(harness: Harness) -> None:
    purchase = await _paid_after(harness, Status.FAILED)
    await harness.execute("update workspace_addon_purchases set payable = false")

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert Status.PAID is (await harness.purchase(purchase.id)).status
    assert await harness.refunds_at_stripe() == []


async def test_late_money_of_a_failed_purchase_goes_back_when_another_one_holds_the_slot(harness: Harness) -> None:
    purchase = await _paid_after(harness, Status.FAILED)
    await harness.execute("update workspace_addon_purchases set payable = false")
    await harness.give_card(str(purchase.stripe_customer_id), "pm_card_visa")
    holder = await harness.buy(harness.order(purchase.workspace_id))

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert Status.FAILED is (await harness.purchase(purchase.id)).status
    assert Status.PAID is (await harness.purchase(holder.purchase.id)).status
    assert [purchase.stripe_payment_intent_id] == [one["payment_intent"] for one in await harness.refunds_at_stripe()]


@pytest.mark.parametrize(
    "fault",
    ["close_after", "error_after", "error_before", "rate_limit", "close_before", "forbidden", "other_parameters"],
)
async def test_money_goes_back_once_however_the_refund_is_interrupted(harness: Harness, fault: str) -> None:
    await _paid_after(harness, Status.CANCELLED)
    await harness.control.fault(fault, operation="refunds.create", times=2)
    await harness.deliver(*await harness.facts())

    await harness.settle_everything()
    await harness.settle_everything()

    assert len(await harness.refunds_at_stripe()) == 1
    assert [one["state"] for one in await harness.jobs("return_payment")] == ["done"]


async def test_a_timeout_repeats_the_refund_under_the_same_key(harness: Harness) -> None:
    """The first request may still be on its way: a new key could send the money back twice."""
    await _paid_after(harness, Status.CANCELLED)
    await harness.control.fault("close_before", operation="refunds.create", times=2)
    await harness.deliver(*await harness.facts())

    await harness.settle_everything()

    keys = [one["idempotency_key"] for one in await harness.requests("refunds.create")]
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_a_stored_500_is_asked_again_under_the_next_key_after_a_look(harness: Harness) -> None:
    purchase = await _paid_after(harness, Status.CANCELLED)
    await harness.control.fault("error_before", operation="refunds.create")
    await harness.deliver(*await harness.facts())

    await harness.settle_everything()

    step = f"{INSTANCE}:{purchase.id}:return-{purchase.stripe_invoice_id}"
    assert [f"{step}:1", f"{step}:2"] == [one["idempotency_key"] for one in await harness.requests("refunds.create")]
    assert len(await harness.requests("refunds.list")) >= 2


@pytest.mark.parametrize("in_the_dashboard", [10_000, PRICE])
async def test_only_what_is_left_of_late_money_goes_back(harness: Harness, in_the_dashboard: int) -> None:
    """Somebody was quicker in the Dashboard than our worker."""
    purchase = await _paid_after(harness, Status.CANCELLED)
    facts = await harness.facts()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=in_the_dashboard)

    await harness.deliver(*facts)
    await harness.settle_everything()
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert [one["state"] for one in await harness.jobs("return_payment")] == ["done"]
    refunds = (await harness.purchase(purchase.id)).refunds
    assert sum(one.refund_cents for one in refunds) == PRICE
    assert {one.kind for one in refunds} == {"return"}
    assert (await harness.control.sums())["total"]["eur"]["refunded"] == PRICE


@pytest.mark.parametrize("version", [None, LEGACY])
async def test_two_payments_too_many_both_go_back_and_the_sale_stands(harness: Harness, version: str | None) -> None:
    purchase = await harness.given_a_purchase()
    duplicates = [await _paid_twice(harness, purchase) for _ in range(2)]

    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()
    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, row.paid_cents) == (Status.PAID, PRICE)
    assert sorted(duplicates) == sorted(one.stripe_invoice_id for one in row.payments if one.returned)
    assert [one.kind for one in row.refunds] == ["return", "return"]
    refunds = _refunds_by_payment(await harness.refunds_at_stripe())
    assert purchase.stripe_payment_intent_id not in refunds
    assert list(refunds.values()) == [1, 1]
    assert len(await harness.published(kind=PurchasePaid)) == 1


async def test_a_refund_of_a_payment_never_heard_of_finds_that_payment(harness: Harness) -> None:
    """A duplicate was paid and refunded in the Dashboard; only the refund's event came. The sale stands."""
    purchase = await harness.given_a_purchase()
    duplicate = await _paid_twice(harness, purchase)
    await harness.control.refund_as_dashboard(invoice=duplicate)

    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, RefundChanged)])
    await harness.run_jobs()
    await harness.retry_parked()

    row = await harness.purchase(purchase.id)
    assert Status.PAID is row.status
    assert [(duplicate, "return")] == [(one.stripe_invoice_id, one.kind) for one in row.refunds]
    assert purchase.stripe_payment_intent_id == row.stripe_payment_intent_id


async def test_a_purchase_paid_by_another_invoice_has_its_own_closed(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.give_card(str(purchase.stripe_customer_id), "pm_card_visa")
    other = await _paid_twice(harness, purchase)

    await harness.deliver(*[fact for fact in await harness.facts() if fact.object_id == other])
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, row.payable) == (Status.PAID, False)
    invoices = (await harness.control.objects(kind="invoice"))["invoice"]
    assert {purchase.stripe_invoice_id: "void", other: "paid"} == {one["id"]: one["status"] for one in invoices}


@pytest.mark.parametrize("version", [None, LEGACY])
async def test_a_refund_before_its_payment_waits_and_is_applied_once_both_came(
    harness: Harness, version: str | None
) -> None:
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await harness.put(purchase, Status.PENDING)
    facts = await harness.facts(version=version)
    paid = [fact for fact in facts if isinstance(fact, InvoicePaid)]

    await harness.deliver(*[fact for fact in facts if fact not in paid])
    assert await harness.parked() != []
    assert Status.PENDING is (await harness.purchase(purchase.id)).status

    await harness.deliver(*paid)
    await harness.settle_everything()

    assert Status.REFUNDED is (await harness.purchase(purchase.id)).status
    assert await harness.parked() == []
    assert len(await harness.published(kind=PurchaseRefunded)) == 1
    assert len(await harness.published(kind=RefundIssued)) == 1


async def test_a_charge_that_stripe_does_not_know_is_refunded_as_its_events_say(harness: Harness) -> None:
    """One refund per cumulative amount."""
    purchase = await harness.given_a_purchase()
    for amount in (20_000, 29_900):
        await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=amount)
    sums = [fact for fact in await harness.facts() if fact.TYPE.endswith("charge_refunded.v1")]
    await harness.execute("update purchase_charges set stripe_charge_id = 'ch_fixture'")
    await harness.execute("update workspace_addon_purchases set stripe_charge_id = 'ch_fixture'")

    for fact in sums:
        await harness.deliver(
            fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}", "charge_id": "ch_fixture"})
        )
        await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert [(one.stripe_refund_id, one.refund_cents) for one in row.refunds] == [
        ("ch_fixture:20000", 20_000),
        ("ch_fixture:49900", 29_900),
    ]
    assert Status.REFUNDED is row.status


async def test_a_refund_that_fails_while_another_purchase_holds_the_slot_stays_refunded(harness: Harness) -> None:
    purchase = await harness.given_a_purchase("pm_card_refundFail")
    refund = await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    await harness.buy(harness.order(purchase.workspace_id))
    await harness.control.settle_refund(refund["id"], status="failed")

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, [one.status for one in row.refunds]) == (Status.REFUNDED, ["failed"])
