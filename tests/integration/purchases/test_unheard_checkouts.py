"""A Checkout whose making Stripe did, or did not, and nobody heard: none is lost, and none is sold twice."""

from typing import Final

import pytest

from contracts.stripe_facts import SubscriptionChanged
from purchases.ledger.transitions import Status
from tests.integration.purchases.checkouts import (
    BUNDLE,
    complete,
    open_page,
    purchases_of,
    refusal_of,
    sessions_of,
    states_of,
    upgrade,
)
from tests.integration.purchases.harness import PRICE, World

pytestmark: Final = pytest.mark.usefixtures("builder")
UNHEARD: Final = ("close_after", "error_after", "close_before", "error_before")


@pytest.mark.parametrize("fault", UNHEARD)
async def test_a_session_whose_making_was_not_heard_is_opened_by_the_repeat(world: World, fault: str) -> None:
    """Also where Stripe answered 5xx, which it repeats for ever under the same key: there is one page, and one sale."""
    wanted = upgrade(await world.given_a_workspace(None), *BUNDLE)
    await world.control.fault(fault, operation="checkout.sessions.create")
    assert (await refusal_of(world, wanted)).status == 503
    assert {one.status for one in await purchases_of(world)} == {Status.PENDING}

    opened = await open_page(world, wanted)

    assert [one["id"] for one in await sessions_of(world)] == [opened.session_id]
    await complete(world, opened.session_id)
    assert {one.status for one in await purchases_of(world)} == {Status.PAID}


@pytest.mark.parametrize("fault", UNHEARD)
async def test_a_session_whose_making_was_not_heard_and_that_nobody_asks_for_again_is_found(
    world: World, fault: str
) -> None:
    await world.control.fault(fault, operation="checkout.sessions.create")
    await refusal_of(world, upgrade(await world.given_a_workspace(None), *BUNDLE))

    await world.execute("update stripe_commands set due_at = now()")
    await world.carry_out_commands()

    made = fault.endswith("after")
    assert await states_of(world) == ["open" if made else "expired"]
    assert {one.status for one in await purchases_of(world)} == {Status.PENDING if made else Status.FAILED}


async def test_a_page_that_was_paid_unheard_is_not_opened_by_the_repeat(world: World) -> None:
    wanted = upgrade(await world.given_a_workspace(None), *BUNDLE)
    await world.control.fault("error_after", operation="checkout.sessions.create")
    await refusal_of(world, wanted)
    (session,) = await sessions_of(world)
    await world.control.complete_session(session["id"])

    refused = await refusal_of(world, wanted)

    assert (refused.status, refused.slug) == (409, "checkout-over")
    assert await states_of(world) == ["complete"]
    assert [one["id"] for one in await sessions_of(world)] == [session["id"]]


@pytest.mark.parametrize("fault", UNHEARD)
async def test_after_an_unheard_session_another_checkout_leaves_one_open(world: World, fault: str) -> None:
    workspace = await world.given_a_workspace(None)
    await world.control.fault(fault, operation="checkout.sessions.create")
    await refusal_of(world, upgrade(workspace, *BUNDLE))

    opened = await open_page(world, upgrade(workspace, *BUNDLE))

    assert [one["id"] for one in await sessions_of(world) if one["status"] == "open"] == [opened.session_id]
    assert await states_of(world) == ["expired", "open"]
    await complete(world, opened.session_id)
    paid = [one for one in await purchases_of(world) if one.status is Status.PAID]
    assert [one.stripe_checkout_session_id for one in paid] == [opened.session_id] * 2
    assert (await world.control.sums())["total"]["eur"]["captured"] == 900 + 2 * PRICE


async def test_after_a_page_that_was_paid_unheard_no_second_subscription_is_sold(world: World) -> None:
    """Its events are lost; what ends the Checkout finds it paid, and asks for what was sold."""
    workspace = await world.given_a_workspace(None)
    opened = await open_page(world, upgrade(workspace))
    await world.control.complete_session(opened.session_id)
    found = await refusal_of(world, upgrade(workspace))

    meanwhile = await refusal_of(world, upgrade(workspace))
    await world.carry_out_commands()
    afterwards = await refusal_of(world, upgrade(workspace))

    assert [one.slug for one in (found, meanwhile, afterwards)] == [
        "already-purchased",
        "checkout-busy",
        "already-subscribed",
    ]
    assert [one["id"] for one in await sessions_of(world)] == [opened.session_id]
    (subscription,) = await world.rows("select status from subscriptions")
    assert subscription["status"] == "active"


async def test_a_subscription_that_is_never_heard_of_does_not_bar_the_workspace_for_ever(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    opened = await open_page(world, upgrade(workspace))
    await world.control.complete_session(opened.session_id)
    await refusal_of(world, upgrade(workspace))
    await world.execute("update checkout_sessions set updated_at = now() - interval '61 minutes'")

    again = await open_page(world, upgrade(workspace))

    assert again.session_id != opened.session_id


async def test_events_that_come_before_the_request_has_stored_the_session_are_not_lost(world: World) -> None:
    """Stripe made it, we did not hear, and the buyer was quick."""
    await world.control.fault("close_after", operation="checkout.sessions.create")
    await refusal_of(world, upgrade(await world.given_a_workspace(None), *BUNDLE))
    (session,) = await sessions_of(world)
    await world.control.complete_session(session["id"])

    await world.tell(*reversed([one for one in await world.facts() if not isinstance(one, SubscriptionChanged)]))
    await world.settle_everything()

    assert {one.status for one in await purchases_of(world)} == {Status.PAID}
    assert await states_of(world) == ["complete"]
