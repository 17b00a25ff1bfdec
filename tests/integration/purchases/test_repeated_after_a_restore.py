"""A request that is repeated to a database that has forgotten it: one charge at Stripe, whatever else was forgotten."""

import asyncio
from dataclasses import replace

import pytest

from chassis.problems import Problem
from purchases.buying.buy import Outcome
from purchases.checkout.start_checkout import Upgrade
from purchases.jobs.kinds import ReconcilePurchase
from purchases.jobs.store import enqueue
from purchases.ledger.transitions import Status
from tests.integration.purchases.checkouts import (
    open_page,
    purchases_of,
    refusal_of,
    sessions_of,
    upgrade,
)
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases.restoring import back_up, given_an_epoch, restore


async def _captured(harness: Harness) -> int:
    in_euros = (await harness.control.sums())["total"].get("eur", {"captured": 0})
    return int(in_euros["captured"])


async def _subscriptions(harness: Harness) -> int:
    return len((await harness.control.objects(kind="subscription")).get("subscription", []))


async def test_it_is_the_same_sale_and_the_same_invoice(harness: Harness) -> None:
    await harness.given_an_addon()
    order = harness.order(await harness.given_a_workspace())
    await back_up(harness)
    first = (await harness.buy(order)).purchase
    await restore(harness)

    again = await harness.buy(order)

    assert (again.outcome, again.purchase.status) == (Outcome.PAID, Status.PAID)
    assert again.purchase.id == first.id
    assert again.purchase.stripe_invoice_id == first.stripe_invoice_id
    assert await _captured(harness) == PRICE


async def test_with_another_card_by_now_what_the_first_came_to_is_looked_up(harness: Harness) -> None:
    """Stripe answers `idempotency_error`: the key was used with other parameters. That is no failure."""
    await harness.given_an_addon()
    order = harness.order(await harness.given_a_workspace())
    await back_up(harness)
    first = (await harness.buy(order)).purchase
    await restore(harness)
    await harness.give_card(str(first.stripe_customer_id), "pm_card_mastercard")

    again = await harness.buy(order)
    assert (again.outcome, again.purchase.status) == (Outcome.UNKNOWN, Status.PENDING)
    await harness.settle_everything()

    assert Status.PAID is (await harness.purchase(first.id)).status
    assert await _captured(harness) == PRICE


async def test_a_week_later_what_the_first_came_to_is_found_by_its_metadata(harness: Harness) -> None:
    """A request that died right after it had begun, say: nobody but the job looks, and not from its own start only."""
    await harness.given_an_addon()
    order = harness.order(await harness.given_a_workspace())
    first = (await harness.buy(order)).purchase
    await harness.put(first, Status.PENDING)
    await harness.execute("update workspace_addon_purchases set started_at = now() + interval '7 days'")
    async with harness.database.transaction() as session:
        await enqueue(session, ReconcilePurchase(purchase_id=first.id))

    await harness.settle_everything()

    assert Status.PAID is (await harness.purchase(first.id)).status


async def test_after_a_day_without_keys_the_customer_and_the_invoice_are_found_before_any_is_made(
    harness: Harness,
) -> None:
    """The workspace had no customer at the backup; Stripe has forgotten every key."""
    await harness.given_an_addon()
    order = harness.order("ws-of-before")
    await back_up(harness)
    await harness.given_a_workspace(workspace_id=order.workspace_id)
    first = (await harness.buy(order)).purchase
    await restore(harness)
    await given_an_epoch(harness)
    await harness.control.forget_idempotency_keys()
    await harness.register(order.workspace_id)

    again = await harness.buy(order)

    assert (again.outcome, again.purchase.id) == (Outcome.PAID, first.id)
    assert again.purchase.stripe_customer_id == first.stripe_customer_id
    assert len((await harness.control.objects(kind="customer"))["customer"]) == 1
    assert await _captured(harness) == PRICE


async def test_what_was_begun_and_not_paid_before_is_the_jobs_to_close(harness: Harness) -> None:
    await harness.given_an_addon()
    order = harness.order(await harness.given_a_workspace())
    await back_up(harness)
    await harness.control.fault("close_before", operation="invoices.pay")
    first = (await harness.buy(order)).purchase
    await restore(harness)
    await given_an_epoch(harness)
    await harness.control.forget_idempotency_keys()

    again = await harness.buy(order)
    await harness.settle_everything()

    assert (again.outcome, again.purchase.id) == (Outcome.UNKNOWN, first.id)
    assert Status.FAILED is (await harness.purchase(first.id)).status
    assert await _captured(harness) == 0


async def test_a_bundle_is_paid_once(harness: Harness, builder: None) -> None:
    wanted = upgrade(await harness.given_a_workspace(), "setup", "training")
    await back_up(harness)
    opened = await open_page(harness, wanted)
    sold = {purchase.id for purchase in await purchases_of(harness)}
    await harness.control.complete_session(opened.session_id)
    await restore(harness)
    await given_an_epoch(harness)
    await harness.control.forget_idempotency_keys()

    refused = await refusal_of(harness, wanted)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert (refused.slug, refused.extra["state"]) == ("checkout-over", "complete")
    assert len(await sessions_of(harness)) == 1
    assert await _subscriptions(harness) == 1
    assert {purchase.id: purchase.status for purchase in await purchases_of(harness)} == dict.fromkeys(
        sold, Status.PAID
    )


async def test_a_page_that_is_still_open_is_the_one_that_is_given_again(harness: Harness, builder: None) -> None:
    wanted = upgrade(await harness.given_a_workspace(), "setup")
    await back_up(harness)
    opened = await open_page(harness, wanted)
    await restore(harness)
    await asyncio.sleep(1)  # its session would end in another second, which is another parameter

    unknown = await refusal_of(harness, wanted)
    again = await open_page(harness, wanted)

    assert unknown.slug == "stripe-unavailable"  # Stripe answers that the key was used with other parameters
    assert again.session_id == opened.session_id
    assert len(await sessions_of(harness)) == 1


async def test_another_key_or_another_price_is_another_sale(harness: Harness) -> None:
    order = harness.order("ws-1")
    others = (
        replace(order, idempotency_key="another"),
        replace(order, workspace_id="ws-2"),
        replace(order, expected_price_cents=PRICE + 1),
        replace(order, expected_currency="USD"),
        replace(order, addon_slug="training"),
    )

    assert len({one.purchase_id("test") for one in (order, *others)} | {order.purchase_id("another")}) == 7


async def test_a_row_that_was_read_back_without_its_key_is_the_answer(harness: Harness) -> None:
    await harness.given_an_addon()
    order = harness.order(await harness.given_a_workspace())
    first = (await harness.buy(order)).purchase
    await harness.execute(
        "update workspace_addon_purchases set idempotency_key = 'read-back', request_fingerprint = ''"
    )

    again = await harness.buy(order)

    assert (again.outcome, again.purchase.id) == (Outcome.REPEATED, first.id)
    assert await _captured(harness) == PRICE


async def test_a_key_whose_purchase_failed_answers_with_that_and_another_key_is_a_new_try(harness: Harness) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace("pm_card_chargeCustomerFail")
    order = harness.order(workspace)
    first = await harness.buy(order)
    await harness.settle_everything()
    await harness.give_card(str(first.purchase.stripe_customer_id), "pm_card_visa")

    again = await harness.buy(order)
    anew = await harness.buy(replace(order, idempotency_key="a new try"))

    assert (again.outcome, again.purchase.id, again.purchase.status) == (
        Outcome.REPEATED,
        first.purchase.id,
        Status.FAILED,
    )
    assert (anew.outcome, anew.purchase.status) == (Outcome.PAID, Status.PAID)


async def test_of_two_repeats_of_one_that_died_one_opens_the_page(harness: Harness, builder: None) -> None:
    """Both find the lease over; whoever has the lock first takes it."""
    wanted = upgrade(await harness.given_a_workspace())
    await harness.control.fault("close_after", operation="checkout.sessions.create")
    with pytest.raises(Problem):
        await open_page(harness, wanted)

    answers = await asyncio.gather(*(_answer(harness, wanted) for _ in range(4)))

    assert "checkout-busy" in answers or len(set(answers)) == 1
    assert len(await sessions_of(harness)) == 1


async def _answer(harness: Harness, wanted: Upgrade) -> str:
    try:
        return (await open_page(harness, wanted)).session_id
    except Problem as problem:
        return problem.slug
