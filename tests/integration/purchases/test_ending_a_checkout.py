"""How an open Checkout ends: it is completed, another or an order of one add-on ends it, or its time is up."""

from typing import Final

import pytest

from chassis.problems import Problem
from contracts.stripe_facts import CheckoutSessionExpired
from purchases.buying.buy import Outcome
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
from tests.integration.purchases.moves import BUYER, SAID, cancel_it

pytestmark: Final = pytest.mark.usefixtures("builder")
OVER: Final = "update checkout_sessions set leased_until = null"


async def test_another_checkout_ends_the_first_and_frees_its_bundle(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    first = await open_page(harness, upgrade(workspace, *BUNDLE))

    second = await open_page(harness, upgrade(workspace, "setup"))

    assert [(one["id"], one["status"]) for one in await sessions_of(harness)] == [
        (first.session_id, "expired"),
        (second.session_id, "open"),
    ]
    assert [one.status for one in await purchases_of(harness)] == [Status.CANCELLED, Status.CANCELLED, Status.PENDING]
    await complete(harness, second.session_id)
    assert [one.status for one in await purchases_of(harness)] == [Status.CANCELLED, Status.CANCELLED, Status.PAID]
    assert await states_of(harness) == ["expired", "complete"]


async def test_one_that_was_completed_unheard_is_not_bought_again(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    first = await open_page(harness, upgrade(workspace, *BUNDLE))
    await harness.control.complete_session(first.session_id)

    refused = await refusal_of(harness, upgrade(workspace, "setup"))

    assert refused.slug == "already-purchased"
    assert len(await sessions_of(harness)) == 1
    await harness.execute("update stripe_commands set due_at = now()")
    await harness.settle_everything()
    assert {one.status for one in await purchases_of(harness)} == {Status.PAID}


@pytest.mark.parametrize("operation", ["checkout.sessions.retrieve", "checkout.sessions.expire"])
@pytest.mark.parametrize("fault", ["close_before", "close_after", "error_before"])
async def test_without_stripes_word_the_first_stays_and_the_second_waits(
    harness: Harness, operation: str, fault: str
) -> None:
    workspace = await harness.given_a_workspace(None)
    await open_page(harness, upgrade(workspace, *BUNDLE))
    await harness.control.fault(fault, operation=operation)

    refused = await refusal_of(harness, upgrade(workspace))

    assert (refused.status, refused.slug) == (409, "checkout-busy")
    assert refused.headers["Retry-After"]
    assert await states_of(harness) == ["open"]
    await harness.control.forget_idempotency_keys()
    assert (await open_page(harness, upgrade(workspace))).url
    assert await states_of(harness) == ["expired", "open"]


async def test_its_time_is_up_and_the_bundle_is_cancelled(harness: Harness) -> None:
    opened = await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
    await harness.control.expire_session(opened.session_id)

    await harness.deliver(*await harness.facts())

    assert [(one.status, one.payable) for one in await purchases_of(harness)] == [(Status.CANCELLED, False)] * 2
    assert await states_of(harness) == ["expired"]


async def test_an_expiry_that_was_never_heard_of_is_found_by_looking(harness: Harness) -> None:
    opened = await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
    await harness.execute(OVER)
    await harness.control.expire_session(opened.session_id)

    await harness.run_jobs()

    assert {one.status for one in await purchases_of(harness)} == {Status.CANCELLED}


async def test_an_open_one_is_left_by_settling(harness: Harness) -> None:
    await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
    for row in await purchases_of(harness):
        await harness.execute(
            "insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts)"
            " values ('settle', :key, :id, '{}', 'open', 1, now(), 0)",
            key=f"settle:{row.id}",
            id=str(row.id),
        )

    await harness.run_jobs()

    assert [(one.status, one.payable) for one in await purchases_of(harness)] == [(Status.PENDING, True)] * 2
    assert await states_of(harness) == ["open"]


async def test_buying_one_of_it_with_the_saved_card_ends_it_first(harness: Harness) -> None:
    workspace = await harness.given_a_workspace()
    opened = await open_page(harness, upgrade(workspace, *BUNDLE))

    bought = await harness.buy(harness.order(workspace, "setup"))

    assert bought.outcome is Outcome.PAID
    assert [one["status"] for one in await sessions_of(harness) if one["id"] == opened.session_id] == ["expired"]
    assert sorted(one.status for one in await purchases_of(harness)) == [
        Status.CANCELLED,
        Status.CANCELLED,
        Status.PAID,
    ]
    assert (await harness.control.sums())["total"]["eur"]["captured"] == PRICE


async def test_buying_one_that_was_just_paid_in_checkout_is_refused(harness: Harness) -> None:
    workspace = await harness.given_a_workspace()
    opened = await open_page(harness, upgrade(workspace, *BUNDLE))
    await harness.control.complete_session(opened.session_id)

    with pytest.raises(Problem) as refused:
        await harness.buy(harness.order(workspace, "setup"))

    assert refused.value.slug == "already-purchased"


async def test_cancelling_one_of_it_ends_it_first(harness: Harness) -> None:
    opened = await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))

    cancelled = await cancel_it(harness, (await purchases_of(harness))[0])

    assert (cancelled.status, cancelled.payable) == (Status.CANCELLED, False)
    assert {one.status for one in await purchases_of(harness)} == {Status.CANCELLED}
    assert [(one["id"], one["status"]) for one in await sessions_of(harness)] == [(opened.session_id, "expired")]
    lines = await harness.rows("select distinct actor, reason from purchase_transitions where to_status = 'cancelled'")
    assert [(one["actor"], one["reason"]) for one in lines] == [(BUYER, SAID)]


async def test_cancelling_one_that_was_just_paid_in_checkout_is_refused(harness: Harness) -> None:
    opened = await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
    await harness.control.complete_session(opened.session_id)

    with pytest.raises(Problem) as refused:
        await cancel_it(harness, (await purchases_of(harness))[0])

    assert refused.value.slug == "already-purchased"
    await harness.deliver(*await harness.facts())
    assert {one.status for one in await purchases_of(harness)} == {Status.PAID}


async def test_buying_something_else_leaves_it_alone(harness: Harness) -> None:
    workspace = await harness.given_a_workspace()
    opened = await open_page(harness, upgrade(workspace, "training"))

    assert (await harness.buy(harness.order(workspace, "setup"))).outcome is Outcome.PAID

    assert [one["status"] for one in await sessions_of(harness) if one["id"] == opened.session_id] == ["open"]


async def test_an_expiry_delivered_after_the_payment_changes_nothing(harness: Harness) -> None:
    opened = await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
    await complete(harness, opened.session_id)
    (completed,) = [one for one in await harness.facts() if one.stripe_event_type == "checkout.session.completed"]
    members = completed.model_dump(include=set(CheckoutSessionExpired.model_fields))
    late = CheckoutSessionExpired.model_validate(members | {"stripe_event_id": "evt_late"})

    await harness.deliver(late)

    assert {one.status for one in await purchases_of(harness)} == {Status.PAID}
    assert await states_of(harness) == ["complete"]
