"""A wake-up that learned nothing does not re-arm itself: what Stripe cannot say more about is asked once."""

from collections.abc import Sequence
from typing import Any

import pytest

from chassis.outbox.parked import TRIES
from contracts.purchase_facts import MoneyBackParked
from contracts.stripe_facts import RefundChanged
from purchases.batch.parking import allocation_mark
from purchases.jobs.kinds import AdoptSubscriptions, ReconcilePurchase
from purchases.jobs.store import enqueue
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.parked.review_parked import discard_parked
from tests.integration.purchases.checkouts import (
    BUNDLE,
    complete,
    given_builder_and_two_addons,
    open_page,
    purchases_of,
    upgrade,
)
from tests.integration.purchases.harness import PRICE, Harness

ENOUGH = 20
"""So many wake-ups follow each other only where each one causes the next."""


async def awake(harness: Harness) -> int:
    """Do at once whatever is due by itself, as the worker does; how much that was, ENOUGH at most."""
    for done in range(ENOUGH):
        if not (await harness.loop.do_one() or await harness.consumer._retry_one()):
            return done
    return ENOUGH


async def _refund_of_an_unlisted_payment(harness: Harness) -> tuple[Purchase, RefundChanged]:
    """Stripe says that the intent is one of our invoice's, and the invoice's own list does not say that it paid it."""
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    refund = next(fact for fact in await harness.facts() if isinstance(fact, RefundChanged))
    (linked,) = (await harness.control.objects(kind="invoice_payment"))["invoice_payment"]
    await harness.control.say_otherwise(linked["id"], status="open")
    await harness.execute("update purchase_charges set stripe_payment_intent_id = 'pi_other', stripe_charge_id = null")
    await harness.execute(
        "update workspace_addon_purchases set stripe_payment_intent_id = 'pi_other', stripe_charge_id = null"
    )
    return purchase, refund


async def test_what_asking_stripe_cannot_match_is_parked_once_for_staff(harness: Harness) -> None:
    """park → identify → release → park ran 204 times in six minutes."""
    purchase, refund = await _refund_of_an_unlisted_payment(harness)

    await harness.deliver(refund)

    assert await awake(harness) < ENOUGH
    (parked,) = await harness.parked()
    assert (parked["waits_for"], parked["retry_at"]) == (allocation_mark(refund.refund.refund_id), None)
    assert await awake(harness) == 0
    assert len(await harness.requests("invoice_payments.list")) == 1
    (published,) = await harness.published(kind=MoneyBackParked)
    assert published["purchase_id"] == str(purchase.id)


async def test_staff_have_it_asked_about_once_more_and_no_oftener(harness: Harness) -> None:
    _, refund = await _refund_of_an_unlisted_payment(harness)
    await harness.deliver(refund)
    await awake(harness)

    await harness.execute("update parked set retry_at = now() where resolved_at is null")

    assert await awake(harness) < ENOUGH
    assert len(await harness.requests("invoice_payments.list")) <= 2
    (parked,) = await harness.parked()
    assert parked["retry_at"] is None


async def _timers(harness: Harness) -> None:
    """Let the timer of whatever has one run out, again and again, as in days."""
    for _ in range(3):
        await harness.execute("update parked set retry_at = now() where resolved_at is null and retry_at is not null")
        assert await awake(harness) < ENOUGH


async def test_a_refund_of_a_part_of_an_invoice_that_was_voided_is_parked_once_and_mailed(harness: Harness) -> None:
    """It waited for the payment that never comes, and had the invoice looked up by every run of its timer."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.control.pay_part(str(purchase.stripe_invoice_id), amount=20_000)
    (charge,) = (await harness.control.objects(kind="charge"))["charge"]
    refund = await harness.control.refund_as_dashboard(charge=charge["id"])
    await harness.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))
    await harness.execute(
        "update workspace_addon_purchases set stripe_payment_intent_id = :intent", intent=charge["payment_intent"]
    )
    await harness.deliver(*await harness.facts())
    await awake(harness)
    looks = len(await harness.requests("invoices.retrieve"))

    await _timers(harness)

    assert len(await harness.requests("invoices.retrieve")) == looks
    parked = await harness.parked()
    assert {one["retry_at"] for one in parked} == {None}
    assert {one["reason"] for one in parked} == {"money of an invoice that is void at Stripe went back"}
    (published,) = await harness.published(kind=MoneyBackParked)
    assert (published["stripe_refund_id"], published["money_back_cents"]) == (refund["id"], 20_000)


async def test_a_refund_of_money_that_does_not_fit_is_parked_once_and_mailed(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=700)
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    await harness.execute("update workspace_addon_purchases set price_cents = 1")
    refund = next(fact for fact in await harness.facts() if isinstance(fact, RefundChanged))
    await harness.execute(
        "update workspace_addon_purchases set stripe_payment_intent_id = :intent", intent=refund.payment_intent_id
    )
    await harness.deliver(refund)
    await awake(harness)
    looks = len(await harness.requests("invoices.retrieve"))

    await _timers(harness)

    assert len(await harness.requests("invoices.retrieve")) == looks
    assert [one["retry_at"] for one in await harness.parked()] == [None]
    assert len(await harness.published(kind=MoneyBackParked)) == 1


async def test_a_refund_of_unknown_money_that_does_not_fit_is_mailed_to_the_team_too(harness: Harness) -> None:
    """The purchase does not know the intent that the refund names: Stripe says whose it was, and it does not fit."""
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=700)
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    await harness.execute("update workspace_addon_purchases set price_cents = 1, stripe_payment_intent_id = null")
    await harness.deliver(next(fact for fact in await harness.facts() if isinstance(fact, RefundChanged)))
    await awake(harness)
    await _timers(harness)

    assert {one["retry_at"] for one in await harness.parked()} == {None}
    (published,) = await harness.published(kind=MoneyBackParked)
    assert published["purchase_id"] == str(purchase.id)


async def test_what_staff_have_ended_is_not_set_aside_again(harness: Harness) -> None:
    """Each later event of the refund, or of another one of its charge, brought it back."""
    await _part_of_a_bundle(harness)
    (parked,) = await harness.parked()
    async with harness.database.transaction() as session:
        item = f"fact-{parked['id']}"
        await discard_parked(session=session, item_id=item, actor="staff:sue", reason="It is the plan's part.")
    refund = next(fact for fact in await harness.facts() if isinstance(fact, RefundChanged))

    await harness.deliver(refund.model_copy(update={"stripe_event_id": "evt_again"}))
    await awake(harness)

    assert await harness.parked() == []


async def test_what_stripe_cannot_match_is_mailed_to_the_team_once(harness: Harness) -> None:
    purchase, refund = await _refund_of_an_unlisted_payment(harness)

    for _ in range(2):
        await harness.deliver(refund)
        await awake(harness)
        await harness.execute("update parked set retry_at = now() where resolved_at is null")

    (published,) = await harness.published(kind=MoneyBackParked)
    assert (published["purchase_id"], published["stripe_refund_id"]) == (str(purchase.id), refund.refund.refund_id)
    assert published["addons"] == [purchase.addon_name]


async def test_a_refund_that_staff_have_to_allocate_is_listed_at_stripe_once(harness: Harness) -> None:
    """Its timer had the charge's refunds listed for as long as nobody decided."""
    purchases, refund = await _part_of_a_bundle(harness)
    looks = len(await harness.requests("refunds.list"))

    await _timers(harness)

    assert (len(await harness.requests("refunds.list")), looks) == (looks, 1)
    (parked,) = await harness.parked()
    assert (parked["waits_for"], parked["retry_at"]) == (f"refund:{refund}", None)
    (published,) = await harness.published(kind=MoneyBackParked)
    assert published["addons"] == [one.addon_name for one in purchases]


async def _part_of_a_bundle(harness: Harness) -> tuple[Sequence[Purchase], str]:
    """A part of a bundle's charge went back, and nobody says of what."""
    await given_builder_and_two_addons(harness)
    opened = await open_page(harness, upgrade(await harness.given_a_workspace(), *BUNDLE))
    await complete(harness, opened.session_id)
    purchases = await purchases_of(harness)
    refund = await harness.control.refund_as_dashboard(invoice=str(purchases[0].stripe_invoice_id), amount=700)
    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, RefundChanged)])
    await awake(harness)
    return purchases, refund["id"]


async def test_what_waits_for_an_id_that_never_comes_is_tried_a_few_times_and_then_by_staff_only(
    harness: Harness,
) -> None:
    """The invoice is open, so that nobody can say whose money it was: its timer asked for as long as it stayed so."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.control.pay_part(str(purchase.stripe_invoice_id), amount=20_000)
    (charge,) = (await harness.control.objects(kind="charge"))["charge"]
    await harness.control.refund_as_dashboard(charge=charge["id"])
    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, RefundChanged)])

    for _ in range(2 * TRIES):
        await harness.execute("update parked set retry_at = now() where resolved_at is null and retry_at is not null")
        await awake(harness)

    (parked,) = await harness.parked()
    assert (parked["retry_at"], parked["attempts"]) == (None, TRIES)
    assert parked["waits_for"] == charge["payment_intent"]
    assert len(await harness.requests("invoice_payments.list")) == 1 + TRIES


async def test_money_that_does_not_fit_is_not_looked_at_every_hour(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)
    await harness.execute("update workspace_addon_purchases set price_cents = 1")
    async with harness.database.transaction() as session:
        await enqueue(session, ReconcilePurchase(purchase_id=purchase.id))

    await harness.run_jobs()

    assert [one["state"] for one in await harness.jobs("settle")] == ["done"]


async def test_two_subscriptions_that_cannot_be_ended_are_compared_once(harness: Harness, plan_price: str) -> None:
    """The comparison asked for itself as long as both ran: without a pause, for as long as Stripe said no."""
    workspace = await harness.given_a_workspace()
    (row,) = await harness.rows("select stripe_customer_id from workspaces")
    for _ in range(2):
        await harness.client.v1.subscriptions.create_async(_subscription(row["stripe_customer_id"], plan_price))
    await harness.control.fault("refused", operation="subscriptions.cancel", times=ENOUGH)
    async with harness.database.transaction() as session:
        await enqueue(session, AdoptSubscriptions(workspace_id=workspace))

    assert await awake(harness) < ENOUGH
    assert {one["state"] for one in await harness.jobs("compare_subscriptions")} == {"done"}


def _subscription(customer: str, price: str) -> Any:
    return {"customer": customer, "items": [{"price": price}], "metadata": {"quittance_instance": "test"}}


@pytest.fixture
async def plan_price(harness: Harness, builder: None) -> str:
    """Stripe's price of the plan by the month."""
    (row,) = await harness.rows("select prices from plans where slug = 'builder'")
    return next(str(one["stripe_price_id"]) for one in row["prices"] if one["currency"] == "EUR")


async def test_a_paid_purchase_is_left_alone(harness: Harness) -> None:
    """What was never in doubt wakes nobody."""
    await harness.given_a_purchase()
    await harness.deliver(*await harness.facts())
    await awake(harness)

    assert await awake(harness) == 0
    assert (await harness.control.sums())["total"]["eur"]["captured"] == PRICE
