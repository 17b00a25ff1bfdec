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
from tests.integration.purchases.harness import PRICE, Harness

pytestmark: Final = pytest.mark.usefixtures("builder")
UNHEARD: Final = ("close_after", "error_after", "close_before", "error_before")


@pytest.mark.parametrize("fault", UNHEARD)
async def test_a_session_whose_making_was_not_heard_is_opened_by_the_repeat(harness: Harness, fault: str) -> None:
    """Also where Stripe answered 5xx, which it repeats for ever under the same key: there is one page, and one sale."""
    wanted = upgrade(await harness.given_a_workspace(None), *BUNDLE)
    await harness.control.fault(fault, operation="checkout.sessions.create")
    assert (await refusal_of(harness, wanted)).status == 503
    assert {one.status for one in await purchases_of(harness)} == {Status.PENDING}

    opened = await open_page(harness, wanted)

    assert [one["id"] for one in await sessions_of(harness)] == [opened.session_id]
    await complete(harness, opened.session_id)
    assert {one.status for one in await purchases_of(harness)} == {Status.PAID}


@pytest.mark.parametrize("fault", UNHEARD)
async def test_a_session_whose_making_was_not_heard_and_that_nobody_asks_for_again_is_found(
    harness: Harness, fault: str
) -> None:
    await harness.control.fault(fault, operation="checkout.sessions.create")
    await refusal_of(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))

    await harness.execute("update stripe_commands set due_at = now()")
    await harness.run_jobs()

    made = fault.endswith("after")
    assert await states_of(harness) == ["open" if made else "expired"]
    assert {one.status for one in await purchases_of(harness)} == {Status.PENDING if made else Status.FAILED}


async def test_a_page_that_was_paid_unheard_is_not_opened_by_the_repeat(harness: Harness) -> None:
    wanted = upgrade(await harness.given_a_workspace(None), *BUNDLE)
    await harness.control.fault("error_after", operation="checkout.sessions.create")
    await refusal_of(harness, wanted)
    (session,) = await sessions_of(harness)
    await harness.control.complete_session(session["id"])

    refused = await refusal_of(harness, wanted)

    assert (refused.status, refused.slug) == (409, "checkout-over")
    assert await states_of(harness) == ["complete"]
    assert [one["id"] for one in await sessions_of(harness)] == [session["id"]]


@pytest.mark.parametrize("fault", UNHEARD)
async def test_after_an_unheard_session_another_checkout_leaves_one_open(harness: Harness, fault: str) -> None:
    workspace = await harness.given_a_workspace(None)
    await harness.control.fault(fault, operation="checkout.sessions.create")
    await refusal_of(harness, upgrade(workspace, *BUNDLE))

    opened = await open_page(harness, upgrade(workspace, *BUNDLE))

    assert [one["id"] for one in await sessions_of(harness) if one["status"] == "open"] == [opened.session_id]
    assert await states_of(harness) == ["expired", "open"]
    await complete(harness, opened.session_id)
    paid = [one for one in await purchases_of(harness) if one.status is Status.PAID]
    assert [one.stripe_checkout_session_id for one in paid] == [opened.session_id] * 2
    assert (await harness.control.sums())["total"]["eur"]["captured"] == 900 + 2 * PRICE


async def test_after_a_page_that_was_paid_unheard_no_second_subscription_is_sold(harness: Harness) -> None:
    """Its events are lost; what ends the Checkout finds it paid, and asks for what was sold."""
    workspace = await harness.given_a_workspace(None)
    opened = await open_page(harness, upgrade(workspace))
    await harness.control.complete_session(opened.session_id)
    found = await refusal_of(harness, upgrade(workspace))

    meanwhile = await refusal_of(harness, upgrade(workspace))
    await harness.run_jobs()
    afterwards = await refusal_of(harness, upgrade(workspace))

    assert [one.slug for one in (found, meanwhile, afterwards)] == [
        "already-purchased",
        "checkout-busy",
        "already-subscribed",
    ]
    assert [one["id"] for one in await sessions_of(harness)] == [opened.session_id]
    (subscription,) = await harness.rows("select status from subscriptions")
    assert subscription["status"] == "active"


async def test_a_subscription_that_is_never_heard_of_does_not_bar_the_workspace_for_ever(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    opened = await open_page(harness, upgrade(workspace))
    await harness.control.complete_session(opened.session_id)
    await refusal_of(harness, upgrade(workspace))
    await harness.execute("update checkout_sessions set updated_at = now() - interval '61 minutes'")

    again = await open_page(harness, upgrade(workspace))

    assert again.session_id != opened.session_id


async def test_events_that_come_before_the_request_has_stored_the_session_are_not_lost(harness: Harness) -> None:
    """Stripe made it, we did not hear, and the buyer was quick."""
    await harness.control.fault("close_after", operation="checkout.sessions.create")
    await refusal_of(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
    (session,) = await sessions_of(harness)
    await harness.control.complete_session(session["id"])

    await harness.deliver(*reversed([one for one in await harness.facts() if not isinstance(one, SubscriptionChanged)]))
    await harness.settle_everything()

    assert {one.status for one in await purchases_of(harness)} == {Status.PAID}
    assert await states_of(harness) == ["complete"]
