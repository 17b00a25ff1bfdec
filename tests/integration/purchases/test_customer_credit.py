"""What a customer's credit balance paid goes back to that balance: made once, counted, and published for what it is."""

from typing import Any

import pytest

from contracts.purchase_facts import PaymentReturned, PurchaseRefunded, RefundFailed, RefundIssued
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import INSTANCE, PRICE, Harness, Json
from tests.integration.purchases.moves import STAFF, ask_for_a_refund, left_of, refunds_of
from tests.integration.purchases.scenarios import VERSIONS

CREDIT = 20_000
BY_CARD = PRICE - CREDIT
IN_PART_OR_WHOLE = pytest.mark.parametrize("credit", [CREDIT, PRICE])


async def bought_with(harness: Harness, credit: int, *, card: str = "pm_card_visa") -> Purchase:
    """A purchase of a customer whose balance held `credit`."""
    await harness.given_an_addon()
    workspace_id = await harness.given_a_workspace(card)
    (row,) = await harness.rows("select stripe_customer_id from workspaces where id = :id", id=workspace_id)
    changes: Any = {"balance": -credit}
    await harness.client.v1.customers.update_async(row["stripe_customer_id"], changes)
    return (await harness.buy(harness.order(workspace_id))).purchase


async def given_back(harness: Harness, purchase: Purchase) -> list[Json]:
    """The balance transactions that we made."""
    made = (await harness.control.objects(kind="customer_balance_transaction"))["customer_balance_transaction"]
    return [one for one in made if one["metadata"].get("purchase_id") == str(purchase.id)]


async def balance_of(harness: Harness, purchase: Purchase) -> int:
    customer = await harness.client.v1.customers.retrieve_async(str(purchase.stripe_customer_id))
    return int(customer.balance or 0)


def by_kind(purchase: Purchase) -> list[tuple[str, str, int]]:
    return sorted((one.kind, one.status, one.refund_cents) for one in purchase.refunds)


@IN_PART_OR_WHOLE
async def test_a_full_refund_gives_each_its_share(harness: Harness, credit: int) -> None:
    purchase = await bought_with(harness, credit)
    assert await left_of(harness, purchase) == PRICE

    await ask_for_a_refund(harness, purchase)
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert row.status is Status.REFUNDED
    card = [("refund", "succeeded", PRICE - credit)] if credit < PRICE else []
    assert by_kind(row) == [("credit", "succeeded", credit), *card]
    assert sum(one["amount"] for one in await harness.refunds_at_stripe()) == PRICE - credit
    assert [one["amount"] for one in await given_back(harness, purchase)] == [-credit]
    assert await balance_of(harness, purchase) == -credit
    (whole,) = await harness.published(kind=PurchaseRefunded)
    assert (whole["refunded_cents"], whole["actor"]) == (PRICE, STAFF)


async def test_it_carries_our_metadata_and_a_key_that_repeats(harness: Harness) -> None:
    purchase = await bought_with(harness, PRICE)
    asked = await ask_for_a_refund(harness, purchase)

    await harness.settle_everything()

    (made,) = await given_back(harness, purchase)
    assert made["metadata"] == {
        "quittance_instance": INSTANCE,
        "workspace_id": purchase.workspace_id,
        "purchase_id": str(purchase.id),
        "addon_slug": purchase.addon_slug,
        "invoice_id": purchase.stripe_invoice_id,
        "refund_id": str(asked.refund.id),
    }
    (request,) = await harness.requests("customers.balance_transactions.create")
    assert request["idempotency_key"] == f"{INSTANCE}:{asked.refund.id}:credit:1"
    (row,) = await refunds_of(harness, purchase)
    assert row.stripe_refund_id == made["id"]


async def test_what_is_published_says_where_each_part_went(harness: Harness) -> None:
    purchase = await bought_with(harness, CREDIT)
    await ask_for_a_refund(harness, purchase)

    await harness.settle_everything()

    published = [(fact["returned_to"], fact["refund_cents"]) for fact in await harness.published(kind=RefundIssued)]
    assert sorted(published) == [("credit_balance", CREDIT), ("payment", BY_CARD)]


async def test_a_part_goes_to_the_card_first(harness: Harness) -> None:
    purchase = await bought_with(harness, CREDIT)

    await ask_for_a_refund(harness, purchase, BY_CARD - 100)
    await ask_for_a_refund(harness, purchase, 300)
    await harness.settle_everything()

    assert by_kind(await harness.purchase(purchase.id)) == [
        ("credit", "succeeded", 200),
        ("refund", "succeeded", 100),
        ("refund", "succeeded", BY_CARD - 100),
    ]
    assert await left_of(harness, purchase) == CREDIT - 200


@pytest.mark.parametrize("version", VERSIONS)
async def test_all_that_the_card_paid_is_no_full_refund(harness: Harness, version: str | None) -> None:
    """The Dashboard's refund gives back the charge; the credit is still ours."""
    purchase = await bought_with(harness, CREDIT)
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)

    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()

    assert ((await harness.purchase(purchase.id)).status, await left_of(harness, purchase)) == (Status.PAID, CREDIT)
    await ask_for_a_refund(harness, purchase)
    await harness.settle_everything()
    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED


@pytest.mark.parametrize(
    "fault",
    ["close_after", "error_after", "error_before", "rate_limit", "close_before", "forbidden", "other_parameters"],
)
async def test_however_it_is_interrupted_it_is_made_once(harness: Harness, fault: str) -> None:
    purchase = await bought_with(harness, PRICE)
    await ask_for_a_refund(harness, purchase)
    await harness.control.fault(fault, operation="customers.balance_transactions.create", times=2)

    await harness.settle_everything()

    assert len(await given_back(harness, purchase)) == 1
    assert await balance_of(harness, purchase) == -PRICE
    assert len(await harness.published(kind=RefundIssued)) == 1


async def test_made_before_stripe_forgot_its_keys_it_is_found_by_its_metadata(harness: Harness) -> None:
    """We died after Stripe's yes, and came back a week later."""
    purchase = await bought_with(harness, PRICE)
    await ask_for_a_refund(harness, purchase)
    await harness.control.fault("close_after", operation="customers.balance_transactions.create")
    await harness.run_jobs()
    await harness.control.forget_idempotency_keys()

    await harness.settle_everything()

    assert len(await given_back(harness, purchase)) == 1
    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED


async def test_refused_by_stripe_it_has_failed_and_the_team_is_mailed_how_much(harness: Harness) -> None:
    purchase = await bought_with(harness, CREDIT)
    await ask_for_a_refund(harness, purchase)
    await harness.control.fault(
        "refused", operation="customers.balance_transactions.create", code="customer_tax_location_invalid"
    )

    await harness.settle_everything()

    assert by_kind(await harness.purchase(purchase.id)) == [
        ("credit", "failed", CREDIT),
        ("refund", "succeeded", BY_CARD),
    ]
    (failed,) = await harness.published(kind=RefundFailed)
    assert (failed["returned_to"], failed["refund_cents"], failed["was_issued"]) == ("credit_balance", CREDIT, False)
    assert await left_of(harness, purchase) == CREDIT


async def test_a_customer_who_is_gone_gets_none_and_the_team_is_mailed(harness: Harness) -> None:
    purchase = await bought_with(harness, PRICE)
    await harness.client.v1.customers.delete_async(str(purchase.stripe_customer_id))
    await ask_for_a_refund(harness, purchase)

    await harness.settle_everything()

    assert by_kind(await harness.purchase(purchase.id)) == [("credit", "failed", PRICE)]


async def test_no_more_than_credit_paid_is_ever_given_back(harness: Harness) -> None:
    """A restored backup has forgotten that it was."""
    purchase = await bought_with(harness, PRICE)
    await ask_for_a_refund(harness, purchase)
    await harness.settle_everything()
    await harness.execute("delete from purchase_refunds")
    await harness.execute("update workspace_addon_purchases set status = 'paid', refunded_at = null")

    await ask_for_a_refund(harness, purchase)
    await harness.settle_everything()

    assert len(await given_back(harness, purchase)) == 1
    (row,) = await refunds_of(harness, purchase)
    assert (row.status, row.failure_reason) == ("failed", "more_than_the_credit_that_paid")


@pytest.mark.parametrize("version", VERSIONS)
async def test_late_money_goes_back_where_it_came_from(harness: Harness, version: str | None) -> None:
    purchase = await bought_with(harness, CREDIT, card="pm_card_authenticationRequired")
    await harness.put(purchase, Status.CANCELLED, knows_invoice=True)
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))

    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()
    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()

    assert by_kind(await harness.purchase(purchase.id)) == [
        ("credit", "succeeded", CREDIT),
        ("return", "succeeded", BY_CARD),
    ]
    assert await balance_of(harness, purchase) == -CREDIT
    (returned,) = await harness.published(kind=PaymentReturned)
    assert (returned["returned_cents"], returned["returned_credit_cents"]) == (PRICE, CREDIT)


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_is_known_from_the_events_alone(harness: Harness, version: str | None) -> None:
    purchase = await bought_with(harness, CREDIT)
    await harness.put(purchase, Status.PENDING, knows_invoice=True)

    await harness.deliver(*await harness.facts(version=version))

    (payment,) = (await harness.purchase(purchase.id)).payments
    assert (payment.card_cents, payment.credit_cents, payment.off_stripe_cents) == (BY_CARD, CREDIT, 0)


async def test_a_debt_too_small_to_charge_is_forgiven_by_its_refund(harness: Harness) -> None:
    """It went to the balance, as what the customer owes; a refund takes it from there."""
    await harness.given_an_addon(price_cents=20)
    purchase = (await harness.buy(harness.order(await harness.given_a_workspace(), expected_price_cents=20))).purchase
    assert await balance_of(harness, purchase) == 20

    await ask_for_a_refund(harness, purchase)
    await harness.settle_everything()

    assert ((await harness.purchase(purchase.id)).status, await balance_of(harness, purchase)) == (Status.REFUNDED, 0)
