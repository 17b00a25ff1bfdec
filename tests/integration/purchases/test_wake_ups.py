"""A wake-up that learned nothing does not re-arm itself: what Stripe cannot say more about is asked once."""

from typing import Any

import pytest

from contracts.stripe_facts import RefundChanged
from purchases.domain.transitions import Status
from purchases.store import commands
from purchases.store.rows import Purchase
from tests.integration.purchases.world import PRICE, World

ENOUGH = 20
"""So many wake-ups follow each other only where each one causes the next."""


async def awake(world: World) -> int:
    """Do at once whatever is due by itself, as the worker does; how much that was, ENOUGH at most."""
    for done in range(ENOUGH):
        if not (await world.loop._carry_one() or await world.consumer._retry_one()):
            return done
    return ENOUGH


async def _refund_of_an_unlisted_payment(world: World) -> tuple[Purchase, RefundChanged]:
    """Stripe says that the intent is one of our invoice's, and the invoice's own list does not say that it paid it."""
    purchase = await world.given_a_purchase()
    await world.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    refund = next(fact for fact in await world.facts() if isinstance(fact, RefundChanged))
    (linked,) = (await world.control.objects(kind="invoice_payment"))["invoice_payment"]
    await world.control.say_otherwise(linked["id"], status="open")
    await world.execute("update purchase_charges set stripe_payment_intent_id = 'pi_other', stripe_charge_id = null")
    await world.execute(
        "update workspace_addon_purchases set stripe_payment_intent_id = 'pi_other', stripe_charge_id = null"
    )
    return purchase, refund


async def test_what_asking_stripe_cannot_match_is_parked_once_for_staff(world: World) -> None:
    """park → identify → release → park ran 204 times in six minutes."""
    purchase, refund = await _refund_of_an_unlisted_payment(world)

    await world.tell(refund)

    assert await awake(world) < ENOUGH
    (parked,) = await world.parked()
    assert (parked["waits_for"], parked["retry_at"]) == (None, None)
    assert str(purchase.stripe_invoice_id) in parked["reason"]
    assert await awake(world) == 0
    assert len(await world.requests("invoice_payments.list")) == 1


async def test_staff_have_it_asked_about_once_more_and_no_oftener(world: World) -> None:
    _, refund = await _refund_of_an_unlisted_payment(world)
    await world.tell(refund)
    await awake(world)

    await world.execute("update parked set retry_at = now() where resolved_at is null")

    assert await awake(world) < ENOUGH
    assert len(await world.requests("invoice_payments.list")) == 2
    assert len(await world.parked()) == 1


async def test_money_that_does_not_fit_is_not_looked_at_every_hour(world: World) -> None:
    purchase = await world.given_a_purchase()
    await world.put(purchase, Status.PENDING)
    await world.execute("update workspace_addon_purchases set price_cents = 1")
    async with world.database.transaction() as session:
        await commands.ask(session, kind="settle", subject=str(purchase.id))

    await world.carry_out_commands()

    assert [one["state"] for one in await world.commands("settle")] == ["done"]


async def test_two_subscriptions_that_cannot_be_ended_are_compared_once(world: World, plan_price: str) -> None:
    """The comparison asked for itself as long as both ran: without a pause, for as long as Stripe said no."""
    workspace = await world.given_a_workspace()
    (row,) = await world.rows("select stripe_customer_id from workspaces")
    for _ in range(2):
        await world.client.v1.subscriptions.create_async(_subscription(row["stripe_customer_id"], plan_price))
    await world.control.fault("refused", operation="subscriptions.cancel", times=ENOUGH)
    async with world.database.transaction() as session:
        await commands.ask(session, kind="adopt_subscriptions", subject=workspace)

    assert await awake(world) < ENOUGH
    assert {one["state"] for one in await world.commands("compare_subscriptions")} == {"done"}


def _subscription(customer: str, price: str) -> Any:
    return {"customer": customer, "items": [{"price": price}], "metadata": {"quittance_instance": "test"}}


@pytest.fixture
async def plan_price(world: World, builder: None) -> str:
    """Stripe's price of the plan by the month."""
    (row,) = await world.rows("select prices from plans where slug = 'builder'")
    return next(str(one["stripe_price_id"]) for one in row["prices"] if one["currency"] == "EUR")


async def test_a_paid_purchase_is_left_alone(world: World) -> None:
    """What was never in doubt wakes nobody."""
    await world.given_a_purchase()
    await world.tell(*await world.facts())
    await awake(world)

    assert await awake(world) == 0
    assert (await world.control.sums())["total"]["eur"]["captured"] == PRICE
