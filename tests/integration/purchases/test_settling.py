"""SPEC §3, «found at Stripe»: row by row against the sandbox, with every webhook lost."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.purchase_facts import PaymentReturned, PurchaseFailed
from purchases.jobs.job import Job
from purchases.jobs.kinds import ReconcilePurchase, VoidInvoice
from purchases.jobs.store import enqueue
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.reconcile import reconcile_purchase as settle
from purchases.stripe_api.fetch import find_invoice
from purchases.stripe_api.invoices import close_invoice
from tests.integration.purchases.harness import LEASE, PRICE, Harness

NEEDS_CUSTOMER = "pm_card_authenticationRequired"
DECLINED = "pm_card_chargeCustomerFail"


async def _invoices(harness: Harness) -> list[str]:
    return [one["status"] for one in (await harness.control.objects(kind="invoice"))["invoice"]]


async def _settled(harness: Harness, purchase: Purchase) -> tuple[Status, bool]:
    """Settle it as if its buying request had died and no webhook had ever come."""
    await _enqueue(harness, ReconcilePurchase(purchase_id=purchase.id))
    await harness.settle_everything()
    row = await harness.purchase(purchase.id)
    return row.status, row.payable


async def _enqueue(harness: Harness, job: Job) -> None:
    async with harness.database.transaction() as session:
        await enqueue(session, job)


async def test_paid_is_paid(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)

    assert await _settled(harness, purchase) == (Status.PAID, False)

    row = await harness.purchase(purchase.id)
    assert (PRICE, purchase.stripe_invoice_id) == (row.paid_cents, row.stripe_invoice_id)
    assert purchase.stripe_payment_intent_id == row.stripe_payment_intent_id


@pytest.mark.parametrize("operation", ["invoiceitems.create", "invoices.finalize"])
async def test_a_draft_is_deleted_and_the_purchase_failed(harness: Harness, operation: str) -> None:
    await harness.control.fault("error_before", operation=operation)
    purchase = await harness.given_a_purchase()
    assert Status.PENDING is purchase.status
    await harness.put(purchase, Status.PENDING)

    assert await _settled(harness, purchase) == (Status.FAILED, False)
    assert await _invoices(harness) == []


async def test_one_that_needs_the_customer_is_left(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.put(purchase, Status.PENDING)

    assert await _settled(harness, purchase) == (Status.PENDING, True)
    assert await _invoices(harness) == ["open"]
    assert (await harness.purchase(purchase.id)).action_url is not None


async def test_one_that_needs_the_customer_is_cancelled_and_voided_after_23_hours(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.execute("update workspace_addon_purchases set started_at = now() - interval '23 hours 1 second'")

    assert await _settled(harness, purchase) == (Status.CANCELLED, False)
    assert await _invoices(harness) == ["void"]


@pytest.mark.parametrize("authentication", ["requires_action", "requires_payment_method"])
async def test_missing_authentication_is_never_a_failure_however_stripe_says_it(
    harness: Harness, authentication: str
) -> None:
    await harness.control.settings(invoice_authentication=authentication)
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.put(purchase, Status.PENDING)

    await harness.deliver(*await harness.facts())

    assert await _settled(harness, purchase) == (Status.PENDING, True)


async def test_a_declined_one_is_failed_then_voided(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(DECLINED)
    await harness.put(purchase, Status.PENDING)

    assert await _settled(harness, purchase) == (Status.FAILED, False)
    assert await _invoices(harness) == ["void"]
    row = await harness.purchase(purchase.id)
    assert row.failure_code == "generic_decline"
    assert row.declined_at is not None


async def test_a_request_that_died_before_it_paid_is_failed_then_voided(harness: Harness) -> None:
    await harness.control.fault("error_before", operation="invoices.pay")
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)

    assert await _settled(harness, purchase) == (Status.FAILED, False)
    assert await _invoices(harness) == ["void"]
    assert (await harness.control.sums())["total"] == {}


async def test_a_request_that_died_after_it_paid_is_paid(harness: Harness) -> None:
    await harness.control.fault("close_after", operation="invoices.pay")
    purchase = await harness.given_a_purchase()
    assert Status.PENDING is purchase.status

    assert await _settled(harness, purchase) == (Status.PAID, False)


async def test_a_voided_one_is_failed(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))

    assert await _settled(harness, purchase) == (Status.FAILED, False)


async def test_an_uncollectible_one_is_failed_and_voided_for_it_could_still_be_paid(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.client.v1.invoices.mark_uncollectible_async(str(purchase.stripe_invoice_id))

    assert await _settled(harness, purchase) == (Status.FAILED, False)
    assert await _invoices(harness) == ["void"]


async def test_nothing_at_stripe_is_failed(harness: Harness) -> None:
    await harness.control.fault("error_before", operation="invoices.create")
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)

    assert await _settled(harness, purchase) == (Status.FAILED, False)
    assert len(await harness.published(kind=PurchaseFailed)) == 1


async def test_a_customer_that_stripe_does_not_know_has_nothing(harness: Harness) -> None:
    await harness.control.fault("error_before", operation="invoices.create")
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)
    await harness.execute("update workspace_addon_purchases set stripe_customer_id = 'cus_gone'")

    assert await _settled(harness, purchase) == (Status.FAILED, False)


@pytest.mark.parametrize("operation", ["invoices.create", "invoices.finalize", "invoices.pay"])
async def test_what_a_buyer_is_still_at_work_on_is_left(harness: Harness, operation: str) -> None:
    await harness.control.fault("error_before", operation=operation)
    purchase = await harness.given_a_purchase()
    assert purchase.leased_until is not None

    assert await _settled(harness, purchase) == (Status.PENDING, True)


async def test_a_look_that_is_older_than_the_buyers_work_decides_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at before the payment was asked for; by the time it is judged, the bank wants the customer."""
    await harness.control.fault("error_before", operation="invoices.pay")
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)

    async def look_slowly(*args: Any, **more: Any) -> Any:
        found = await find_invoice(*args, **more)
        await harness.execute("update workspace_addon_purchases set leased_until = null, action_url = 'https://bank'")
        return found

    monkeypatch.setattr(settle, "find_invoice", look_slowly)
    await _enqueue(harness, ReconcilePurchase(purchase_id=purchase.id))
    await harness.run_jobs()

    assert Status.PENDING is (await harness.purchase(purchase.id)).status


@pytest.mark.parametrize(
    ("status", "end", "returned"), [(Status.FAILED, Status.PAID, 0), (Status.CANCELLED, Status.CANCELLED, PRICE)]
)
async def test_a_void_that_comes_too_late_finds_the_payment(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, status: Status, end: Status, returned: int
) -> None:
    """Stripe refuses to void what the customer paid a moment before: nothing is left for staff to find."""
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.put(purchase, status)

    async def pay_first(*args: Any, **more: Any) -> None:
        await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
        await close_invoice(*args, **more)

    monkeypatch.setattr(settle, "close_invoice", pay_first)
    await _enqueue(harness, VoidInvoice(purchase_id=purchase.id))
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (end, False) == (row.status, row.payable)
    assert returned == (await harness.control.sums())["total"]["eur"]["refunded"]
    assert bool(returned) == bool(await harness.published(kind=PaymentReturned))
    assert [one["state"] for one in await harness.jobs("void")] == ["done"]


async def test_a_draft_that_somebody_else_deleted_is_closed_all_the_same(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.control.fault("error_before", operation="invoices.finalize")
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.FAILED)

    async def delete_twice(client: Any, *, invoice_id: str, status: str) -> None:
        await client.v1.invoices.delete_async(invoice_id)
        await close_invoice(client, invoice_id=invoice_id, status=status)

    monkeypatch.setattr(settle, "close_invoice", delete_twice)
    await _enqueue(harness, VoidInvoice(purchase_id=purchase.id))
    await harness.settle_everything()

    assert not (await harness.purchase(purchase.id)).payable


async def test_settling_starts_when_the_lease_ends(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()

    (job,) = await harness.jobs("settle")
    assert abs(job["due_at"] - (purchase.started_at + LEASE)) < timedelta(seconds=30)
