"""Saving a card: the link that a buyer without one gets, and the card that is adopted when Checkout completes."""

from typing import Any

import pytest

from chassis.problems import Problem
from contracts.stripe_facts import CheckoutSessionCompleted
from purchases.buying.buy import Outcome
from purchases.customers.save_card import save_card
from purchases.stripe_api.checkout import HostedPage
from tests.integration.purchases.harness import INSTANCE, RETURN_URL, Harness, Json


async def _setup(harness: Harness, workspace: str) -> HostedPage:
    return await save_card(
        harness.context,
        workspace_id=workspace,
        return_url=RETURN_URL,
    )


async def _customer(harness: Harness, workspace: str) -> str:
    (row,) = await harness.rows("select stripe_customer_id from workspaces where id = :id", id=workspace)
    return str(row["stripe_customer_id"])


async def _default_card(harness: Harness, workspace: str) -> str | None:
    customer: Any = await harness.client.v1.customers.retrieve_async(
        await _customer(harness, workspace), {"expand": ["invoice_settings.default_payment_method"]}
    )
    method = customer.invoice_settings.default_payment_method
    return f"{method.card.brand} {method.card.last4}" if method else None


async def _completions(harness: Harness) -> list[CheckoutSessionCompleted]:
    return [one for one in await harness.facts() if isinstance(one, CheckoutSessionCompleted)]


async def _saved(harness: Harness, workspace: str, *cards: str) -> list[CheckoutSessionCompleted]:
    """Stripe's words of cards that were saved one after the other, a second apart."""
    for card in cards:
        await harness.control.complete_session((await _setup(harness, workspace)).id, card=card)
    saved = await _completions(harness)
    return [one.model_copy(update={"occurred_at": one.occurred_at.replace(second=n)}) for n, one in enumerate(saved)]


async def _refused(harness: Harness, workspace: str) -> Problem:
    with pytest.raises(Problem) as refused:
        await harness.buy(harness.order(workspace))
    return refused.value


async def test_a_buyer_without_a_card_is_sent_to_save_one_and_then_pays_with_it(harness: Harness) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace(None)

    problem = await _refused(harness, workspace)

    assert (problem.status, problem.slug) == (409, "payment-method-missing")
    assert await harness.rows("select 1 from workspace_addon_purchases") == []
    (session,) = (await harness.control.objects(kind="checkout.session"))["checkout.session"]
    assert (session["url"], session["id"]) == (problem.extra["setup_url"], problem.extra["setup_session_id"])
    assert (session["success_url"], session["cancel_url"]) == (RETURN_URL, RETURN_URL)
    assert session["metadata"] == {"quittance_instance": INSTANCE, "workspace_id": workspace}

    await harness.control.complete_session(session["id"])
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert (await harness.buy(harness.order(workspace))).outcome is Outcome.PAID


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 0), (0, 1, 0)])
async def test_the_card_that_was_saved_last_counts_in_whatever_order_it_is_heard(
    harness: Harness, order: tuple[int, ...]
) -> None:
    workspace = await harness.given_a_workspace(None)
    saved = await _saved(harness, workspace, "visa", "mastercard")

    for number in order:
        await harness.deliver(saved[number])
        await harness.run_jobs()

    assert (await _default_card(harness, workspace) or "").startswith("mastercard")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_two_cards_of_one_second_end_the_same_whichever_is_heard_first(
    harness: Harness, order: tuple[int, int]
) -> None:
    workspace = await harness.given_a_workspace(None)
    first, second = await _saved(harness, workspace, "visa", "mastercard")
    same = [first, second.model_copy(update={"occurred_at": first.occurred_at})]

    for number in order:
        await harness.deliver(same[number])

    (row,) = await harness.rows("select card_setup_intent_id from workspaces")
    assert row["card_setup_intent_id"] == max(one.setup_intent_id or "" for one in same)


async def test_a_repeated_completion_leaves_a_default_that_was_chosen_since(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    (saved,) = await _saved(harness, workspace, "visa")
    await harness.deliver(saved)
    await harness.settle_everything()
    await harness.give_card(await _customer(harness, workspace), "pm_card_mastercard")
    await harness.execute("truncate inbox")

    await harness.deliver(saved)
    await harness.settle_everything()

    assert (await _default_card(harness, workspace) or "").startswith("mastercard")


async def test_a_card_that_was_removed_since_is_not_adopted(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    (saved,) = await _saved(harness, workspace, "visa")
    (card,) = await _cards(harness, workspace)
    await harness.client.v1.payment_methods.detach_async(card["id"])

    await harness.deliver(saved)
    await harness.settle_everything()

    assert await _default_card(harness, workspace) is None
    assert [one["state"] for one in await harness.jobs("adopt_card")] == ["done"]


async def test_adopting_is_tried_again_when_stripe_does_not_answer(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    (saved,) = await _saved(harness, workspace, "visa")
    await harness.control.fault("close_before", operation="customers.update")

    await harness.deliver(saved)
    await harness.run_jobs()
    await harness.run_jobs()

    assert await _default_card(harness, workspace)


async def test_a_stranger_who_saves_a_card_is_left_alone(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    (saved,) = await _saved(harness, workspace, "visa")

    await harness.deliver(saved.model_copy(update={"customer_id": "cus_stranger"}))

    assert await harness.jobs("adopt_card") == []
    assert await harness.parked() == []


async def test_the_customers_default_goes_before_the_subscriptions_card(harness: Harness) -> None:
    await harness.given_an_addon()
    await harness.given_an_addon("second")
    workspace = await harness.given_a_workspace(None)
    customer = await _customer(harness, workspace)
    on_subscription = await _subscribe(harness, customer)

    first = await harness.buy(harness.order(workspace))
    await harness.give_card(customer, "pm_card_mastercard")
    second = await harness.buy(harness.order(workspace, "second"))

    assert (first.outcome, second.outcome) == (Outcome.PAID, Outcome.PAID)
    assert await _paid_with(harness, first.purchase.stripe_invoice_id) == on_subscription
    assert await _paid_with(harness, second.purchase.stripe_invoice_id) != on_subscription


async def _subscribe(harness: Harness, customer: str) -> str:
    """As Checkout in `subscription` mode does: the card is the subscription's, not the customer's."""
    card = await harness.client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer})
    price = await harness.client.v1.prices.create_async(
        {
            "currency": "eur",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Builder"},
        }
    )
    await harness.client.v1.subscriptions.create_async(
        {"customer": customer, "items": [{"price": price.id}], "default_payment_method": card.id}
    )
    return card.id


async def _paid_with(harness: Harness, invoice_id: str | None) -> str:
    invoices = (await harness.control.objects(kind="invoice"))["invoice"]
    return next(str(one["default_payment_method"]) for one in invoices if one["id"] == invoice_id)


async def _cards(harness: Harness, workspace: str) -> list[Json]:
    customer = await _customer(harness, workspace)
    methods = (await harness.control.objects(kind="payment_method"))["payment_method"]
    return [one for one in methods if one["customer"] == customer]
