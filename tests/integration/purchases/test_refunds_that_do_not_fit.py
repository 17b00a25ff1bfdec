"""Refunds that nobody can be sure of are parked with their reason: another currency, a word that Stripe added."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from contracts.purchase_facts import MoneyBackParked, MoneyOverReturned, RefundFailed, RefundIssued
from contracts.stripe_facts import ChargeRefunded, DisputeChanged, RefundChanged, StripeFact, UnrecognisedEvent
from purchases.jobs.kinds import RefundUnmatchedPayment, SyncRefunds
from purchases.jobs.store import enqueue
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.reconcile.reconcile import reconcile_stretch
from purchases.stripe_api.since import Stretch
from tests.fixtures.expected_facts import model_of
from tests.integration.purchases.harness import PRICE, Harness
from webhook_gateway.stripe_events.normalisers import NORMALISERS, normalise

NEW_WORD = "queued"


async def _refunded(harness: Harness, amount: int = 20_000) -> tuple[Purchase, dict[str, Any]]:
    purchase = await harness.given_a_purchase()
    refund = await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=amount)
    return purchase, refund


async def _money_back(harness: Harness, **changes: Any) -> list[StripeFact]:
    """What Stripe reports of refunds, its objects changed on the way, as the gateway reads it."""
    read = []
    for event in await harness.control.events():
        if event["type"] in NORMALISERS and event["type"].split(".")[0] in {"refund", "charge"}:
            event["data"]["object"].update(changes)
            event["id"] = f"evt_{uuid.uuid4().hex}"
            body = json.dumps(event).encode()
            read.append(model_of(normalise(event=event, body=body, received_at=datetime.now(UTC).timestamp())))
    return read


async def _look(harness: Harness, purchase: Purchase) -> None:
    async with harness.database.transaction() as session:
        await enqueue(
            session,
            SyncRefunds(payment=str(purchase.stripe_payment_intent_id), purchase_id=purchase.id, currency="eur"),
        )
    await harness.run_jobs()


async def _sweep(harness: Harness) -> None:
    now = datetime.now(UTC)
    await reconcile_stretch(harness.context, Stretch(now - timedelta(hours=1), now + timedelta(hours=1)))


async def test_a_refund_in_another_currency_is_parked_and_counts_nowhere(harness: Harness) -> None:
    purchase, _ = await _refunded(harness, PRICE)
    facts = await _money_back(harness, currency="usd")
    assert {type(fact) for fact in facts} == {ChargeRefunded, RefundChanged}

    await harness.deliver(*facts)
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, row.refunds, [one.charge_refunded_cents for one in row.payments]) == (Status.PAID, [], [0])
    assert {one["reason"] for one in await harness.parked()} == {"a refund in USD, which is not the payment's currency"}
    assert await harness.published(kind=RefundIssued) == []
    (published,) = await harness.published(kind=MoneyBackParked)
    assert (published["money_back_cents"], published["money_back_currency"]) == (PRICE, "USD")


async def test_a_refund_in_a_new_word_is_parked_and_its_later_success_is_published(harness: Harness) -> None:
    """It was published as failed, which is final, and its success never was."""
    purchase, _ = await _refunded(harness)
    unknown = await _money_back(harness, status=NEW_WORD)
    refunds = [fact for fact in await harness.facts() if isinstance(fact, RefundChanged)]

    await harness.deliver(*[fact for fact in unknown if isinstance(fact, UnrecognisedEvent)])
    assert [one["reason"] for one in await harness.parked()] == [
        f"unknown shape: status is '{NEW_WORD}', which Stripe did not document"
    ]
    assert (await harness.purchase(purchase.id)).refunds == []
    await harness.deliver(*refunds)

    assert [one.status for one in (await harness.purchase(purchase.id)).refunds] == ["succeeded"]
    assert len(await harness.published(kind=RefundIssued)) == 1
    assert await harness.published(kind=RefundFailed) == []


async def test_among_a_charges_refunds_the_one_in_a_new_word_is_parked_once_and_the_others_count(
    harness: Harness,
) -> None:
    purchase, refund = await _refunded(harness)
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=7)
    await harness.control.say_otherwise(refund["id"], status=NEW_WORD)

    for _ in range(2):
        await _look(harness, purchase)

    assert [(one.status, one.refund_cents) for one in (await harness.purchase(purchase.id)).refunds] == [
        ("succeeded", 7)
    ]
    (parked,) = await harness.parked()
    assert (parked["type"], parked["key"]) == (UnrecognisedEvent.TYPE, refund["id"].encode())
    assert json.loads(json.loads(parked["value"])["body"])["status"] == NEW_WORD
    assert [one["state"] for one in await harness.jobs("look_at_charge")] == ["done"]


async def test_a_sweep_parks_what_it_does_not_understand_once_whatever_staff_decided(harness: Harness) -> None:
    purchase, refund = await _refunded(harness)
    await harness.control.say_otherwise(refund["id"], status=NEW_WORD)

    await _sweep(harness)
    assert len(await harness.parked()) == 1
    await harness.execute("update parked set resolved_at = now(), resolution = 'discarded'")
    await _sweep(harness)

    assert await harness.parked() == []
    assert (await harness.purchase(purchase.id)).refunds == []


async def test_our_own_refund_in_a_new_word_stays_requested_for_staff(harness: Harness) -> None:
    """The money may have gone: it is neither published as failed, nor free again."""
    purchase = await harness.given_a_purchase()
    intent = str(purchase.stripe_payment_intent_id)
    metadata = {"quittance_instance": "test", "purchase_id": str(purchase.id)}
    made = await harness.client.v1.refunds.create_async({"payment_intent": intent, "metadata": metadata})
    await harness.control.say_otherwise(made.id, status=NEW_WORD)
    async with harness.database.transaction() as session:
        await enqueue(
            session,
            RefundUnmatchedPayment(purchase_id=purchase.id, invoice_id=str(purchase.stripe_invoice_id), amount=PRICE),
        )
    await harness.execute("update purchase_payments set returned = true")

    await harness.run_jobs()

    (job,) = await harness.jobs("return_payment")
    assert job["state"] == "parked"
    assert NEW_WORD in job["last_error"]
    assert await harness.published(kind=RefundFailed) == []


@pytest.mark.parametrize("what", ["stripe_payment_intent_id", "stripe_invoice_id"])
async def test_a_payment_in_a_new_word_leaves_its_purchase_pending_for_staff(harness: Harness, what: str) -> None:
    """It was taken for a decline: failed, and its invoice voided."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.control.say_otherwise(getattr(purchase, what), status="requires_patience")

    await harness.run_jobs()

    assert (await harness.purchase(purchase.id)).status is Status.PENDING
    (job,) = await harness.jobs("settle")
    assert job["state"] == "parked"
    assert "requires_patience" in job["last_error"]
    assert await harness.requests("invoices.void") == []


def _another(fact: StripeFact, **changes: Any) -> StripeFact:
    """The event of a refund that Stripe does not know."""
    assert isinstance(fact, RefundChanged)
    snapshot = fact.refund.model_copy(update={"refund_id": f"re_{uuid.uuid4().hex}"} | changes)
    return fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}", "refund": snapshot})


async def test_what_would_exceed_the_charge_is_listed_at_stripe_first(harness: Harness) -> None:
    """The first one failed, and that was not heard: with the second one more than the charge would have gone back."""
    purchase = await harness.given_a_purchase("pm_card_refundFail")
    first = await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await harness.deliver(*await harness.facts())
    heard = len(await harness.facts())
    await harness.control.settle_refund(first["id"], status="failed")
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    second = [fact for fact in (await harness.facts())[heard:] if isinstance(fact, RefundChanged)][-1]

    await harness.deliver(second)
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert sorted((one.status, one.refund_cents) for one in row.refunds) == [("failed", PRICE), ("succeeded", PRICE)]
    assert (row.status, row.payments[0].charges[0].refunded_cents) == (Status.REFUNDED, PRICE)
    assert await harness.parked() == []


async def test_a_refund_beyond_the_charge_that_stripe_does_not_list_is_parked_once(harness: Harness) -> None:
    purchase, _ = await _refunded(harness, PRICE)
    facts = await harness.facts()
    await harness.deliver(*facts)
    odd = next(fact for fact in facts if isinstance(fact, RefundChanged))

    await harness.deliver(_another(odd, amount=1))
    await harness.settle_everything()

    assert sum(one.refund_cents for one in (await harness.purchase(purchase.id)).refunds) == PRICE
    assert [one["reason"] for one in await harness.parked()] == [
        "with it more than the charge would have gone back, and Stripe lists it so"
    ]


async def test_the_database_refuses_more_than_the_charge_too(harness: Harness) -> None:
    await _refunded(harness, PRICE)
    await harness.deliver(*await harness.facts())

    with pytest.raises(IntegrityError, match="refunds_within_charge"):
        await harness.execute("update purchase_charges set refunded_cents = refunded_cents + 1")


async def test_a_lost_dispute_stands_beside_the_refunds_without_that_limit(harness: Harness) -> None:
    """A bank may want more than the charge: currencies move."""
    purchase, _ = await _refunded(harness)
    dispute = await harness.control.open_dispute(invoice=purchase.stripe_invoice_id, amount=29_900)
    await harness.control.close_dispute(dispute["id"], status="lost")
    facts = await harness.facts()
    more = [fact.model_copy(update={"amount": PRICE + 1}) for fact in facts if isinstance(fact, DisputeChanged)]

    await harness.deliver(*[fact for fact in facts if not isinstance(fact, DisputeChanged)], *more)
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert sorted((one.kind, one.refund_cents) for one in row.refunds) == [("dispute", PRICE + 1), ("refund", 20_000)]
    assert row.payments[0].charges[0].refunded_cents == 20_000


@pytest.mark.parametrize("last", ["the bank", "a refund"])
async def test_the_team_is_mailed_once_that_more_went_back_than_was_charged(harness: Harness, last: str) -> None:
    """Also where the refund is heard of after the dispute was lost: its letter was about that alone."""
    purchase, refund = await _refunded(harness)
    dispute = await harness.control.open_dispute(invoice=purchase.stripe_invoice_id, amount=29_900)
    await harness.control.close_dispute(dispute["id"], status="lost")
    facts = await harness.facts()
    banks = [fact.model_copy(update={"amount": PRICE}) for fact in facts if isinstance(fact, DisputeChanged)]
    refunds: list[StripeFact] = [fact for fact in facts if isinstance(fact, RefundChanged)]
    rest = [fact for fact in facts if not isinstance(fact, DisputeChanged | RefundChanged | ChargeRefunded)]

    for _ in range(2):
        for batch in (rest, refunds, banks) if last == "the bank" else (rest, banks, refunds):
            await harness.deliver(*batch)

    (published,) = await harness.published(kind=MoneyOverReturned)
    assert (published["over_returned_cents"], published["charged_cents"]) == (20_000, PRICE)
    by = (published["stripe_dispute_id"], published["stripe_refund_id"])
    assert by == ((dispute["id"], None) if last == "the bank" else (None, refund["id"]))
