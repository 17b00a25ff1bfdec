"""Saving a card: the link that a buyer without one gets, and the card that is adopted when Checkout completes."""

from typing import Any

import pytest

from chassis.problems import Problem
from contracts.stripe_facts import CheckoutSessionCompleted
from purchases.buying.buy import Outcome
from purchases.customers.save_card import save_card
from purchases.stripe_api.checkout import HostedPage
from tests.integration.purchases.harness import INSTANCE, RETURN_URL, Json, World


async def _setup(world: World, workspace: str) -> HostedPage:
    return await save_card(
        database=world.database,
        client=world.client,
        instance=INSTANCE,
        workspace_id=workspace,
        return_url=RETURN_URL,
    )


async def _customer(world: World, workspace: str) -> str:
    (row,) = await world.rows("select stripe_customer_id from workspaces where id = :id", id=workspace)
    return str(row["stripe_customer_id"])


async def _default_card(world: World, workspace: str) -> str | None:
    customer: Any = await world.client.v1.customers.retrieve_async(
        await _customer(world, workspace), {"expand": ["invoice_settings.default_payment_method"]}
    )
    method = customer.invoice_settings.default_payment_method
    return f"{method.card.brand} {method.card.last4}" if method else None


async def _completions(world: World) -> list[CheckoutSessionCompleted]:
    return [one for one in await world.facts() if isinstance(one, CheckoutSessionCompleted)]


async def _saved(world: World, workspace: str, *cards: str) -> list[CheckoutSessionCompleted]:
    """Stripe's words of cards that were saved one after the other, a second apart."""
    for card in cards:
        await world.control.complete_session((await _setup(world, workspace)).id, card=card)
    told = await _completions(world)
    return [one.model_copy(update={"occurred_at": one.occurred_at.replace(second=n)}) for n, one in enumerate(told)]


async def _refused(world: World, workspace: str) -> Problem:
    with pytest.raises(Problem) as refused:
        await world.buy(world.order(workspace))
    return refused.value


async def test_a_buyer_without_a_card_is_sent_to_save_one_and_then_pays_with_it(world: World) -> None:
    await world.given_an_addon()
    workspace = await world.given_a_workspace(None)

    problem = await _refused(world, workspace)

    assert (problem.status, problem.slug) == (409, "payment-method-missing")
    assert await world.rows("select 1 from workspace_addon_purchases") == []
    (session,) = (await world.control.objects(kind="checkout.session"))["checkout.session"]
    assert (session["url"], session["id"]) == (problem.extra["setup_url"], problem.extra["setup_session_id"])
    assert (session["success_url"], session["cancel_url"]) == (RETURN_URL, RETURN_URL)
    assert session["metadata"] == {"quittance_instance": INSTANCE, "workspace_id": workspace}

    await world.control.complete_session(session["id"])
    await world.tell(*await world.facts())
    await world.settle_everything()

    assert (await world.buy(world.order(workspace))).outcome is Outcome.PAID


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 0), (0, 1, 0)])
async def test_the_card_that_was_saved_last_counts_in_whatever_order_it_is_heard(
    world: World, order: tuple[int, ...]
) -> None:
    workspace = await world.given_a_workspace(None)
    told = await _saved(world, workspace, "visa", "mastercard")

    for number in order:
        await world.tell(told[number])
        await world.carry_out_commands()

    assert (await _default_card(world, workspace) or "").startswith("mastercard")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_two_cards_of_one_second_end_the_same_whichever_is_heard_first(
    world: World, order: tuple[int, int]
) -> None:
    workspace = await world.given_a_workspace(None)
    first, second = await _saved(world, workspace, "visa", "mastercard")
    same = [first, second.model_copy(update={"occurred_at": first.occurred_at})]

    for number in order:
        await world.tell(same[number])

    (row,) = await world.rows("select card_setup_intent_id from workspaces")
    assert row["card_setup_intent_id"] == max(one.setup_intent_id or "" for one in same)


async def test_a_repeated_completion_leaves_a_default_that_was_chosen_since(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    (told,) = await _saved(world, workspace, "visa")
    await world.tell(told)
    await world.settle_everything()
    await world.give_card(await _customer(world, workspace), "pm_card_mastercard")
    await world.execute("truncate inbox")

    await world.tell(told)
    await world.settle_everything()

    assert (await _default_card(world, workspace) or "").startswith("mastercard")


async def test_a_card_that_was_removed_since_is_not_adopted(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    (told,) = await _saved(world, workspace, "visa")
    (card,) = await _cards(world, workspace)
    await world.client.v1.payment_methods.detach_async(card["id"])

    await world.tell(told)
    await world.settle_everything()

    assert await _default_card(world, workspace) is None
    assert [one["state"] for one in await world.commands("adopt_card")] == ["done"]


async def test_adopting_is_tried_again_when_stripe_does_not_answer(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    (told,) = await _saved(world, workspace, "visa")
    await world.control.fault("close_before", operation="customers.update")

    await world.tell(told)
    await world.carry_out_commands()
    await world.carry_out_commands()

    assert await _default_card(world, workspace)


async def test_a_stranger_who_saves_a_card_is_left_alone(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    (told,) = await _saved(world, workspace, "visa")

    await world.tell(told.model_copy(update={"customer_id": "cus_stranger"}))

    assert await world.commands("adopt_card") == []
    assert await world.parked() == []


async def test_the_customers_default_goes_before_the_subscriptions_card(world: World) -> None:
    await world.given_an_addon()
    await world.given_an_addon("second")
    workspace = await world.given_a_workspace(None)
    customer = await _customer(world, workspace)
    on_subscription = await _subscribe(world, customer)

    first = await world.buy(world.order(workspace))
    await world.give_card(customer, "pm_card_mastercard")
    second = await world.buy(world.order(workspace, "second"))

    assert (first.outcome, second.outcome) == (Outcome.PAID, Outcome.PAID)
    assert await _paid_with(world, first.purchase.stripe_invoice_id) == on_subscription
    assert await _paid_with(world, second.purchase.stripe_invoice_id) != on_subscription


async def _subscribe(world: World, customer: str) -> str:
    """As Checkout in `subscription` mode does: the card is the subscription's, not the customer's."""
    card = await world.client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer})
    price = await world.client.v1.prices.create_async(
        {
            "currency": "eur",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Builder"},
        }
    )
    await world.client.v1.subscriptions.create_async(
        {"customer": customer, "items": [{"price": price.id}], "default_payment_method": card.id}
    )
    return card.id


async def _paid_with(world: World, invoice_id: str | None) -> str:
    invoices = (await world.control.objects(kind="invoice"))["invoice"]
    return next(str(one["default_payment_method"]) for one in invoices if one["id"] == invoice_id)


async def _cards(world: World, workspace: str) -> list[Json]:
    customer = await _customer(world, workspace)
    methods = (await world.control.objects(kind="payment_method"))["payment_method"]
    return [one for one in methods if one["customer"] == customer]
