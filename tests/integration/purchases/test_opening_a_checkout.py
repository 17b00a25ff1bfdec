"""A Checkout sells the plan with add-ons: what it is opened for, what it refuses, and that one is open at a time."""

import asyncio
from typing import Final

import pytest

from chassis.problems import Problem
from purchases.checkout.open_checkout import Opened
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
from tests.integration.purchases.harness import INSTANCE, PRICE, Harness, Json

pytestmark: Final = pytest.mark.usefixtures("builder")


async def test_the_bundle_is_pending_under_one_session_and_paid_when_it_completes(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)

    opened = await open_page(harness, upgrade(workspace, *BUNDLE))

    rows = await purchases_of(harness)
    assert [(one.status, one.payable, one.stripe_checkout_session_id) for one in rows] == [
        (Status.PENDING, True, opened.session_id)
    ] * 2
    (session,) = await sessions_of(harness)
    assert (session["id"], session["url"]) == (opened.session_id, opened.url)
    assert session["metadata"]["purchase_ids"] == ",".join(str(one.id) for one in rows)
    assert (session["metadata"]["quittance_instance"], session["metadata"]["workspace_id"]) == (INSTANCE, workspace)
    assert 30 * 60 <= session["expires_at"] - session["created"] < 35 * 60
    assert (session["payment_method_types"], session["adaptive_pricing"]) == (["card"], {"enabled": False})

    await complete(harness, opened.session_id)

    rows = await purchases_of(harness)
    (subscription,) = (await harness.control.objects(kind="subscription"))["subscription"]
    assert subscription["metadata"] == session["metadata"]
    assert [(one.status, one.payable, one.paid_cents) for one in rows] == [(Status.PAID, False, PRICE)] * 2
    assert {one.stripe_subscription_id for one in rows} == {subscription["id"]}
    assert await states_of(harness) == ["complete"]
    assert (await harness.control.sums())["total"]["eur"]["captured"] == 900 + 2 * PRICE


async def test_twenty_addons_are_named_in_two_values(harness: Harness) -> None:
    slugs = [await harness.given_an_addon(f"service-{number}") for number in range(20)]

    opened = await open_page(harness, upgrade(await harness.given_a_workspace(None), *slugs))
    await complete(harness, opened.session_id)

    (session,) = await sessions_of(harness)
    assert [len(session["metadata"][key].split(",")) for key in ("purchase_ids", "purchase_ids_2")] == [12, 8]
    assert {one.status for one in await purchases_of(harness)} == {Status.PAID}


@pytest.mark.parametrize(
    ("changes", "addons", "problem"),
    [
        ({"plan": "enterprise"}, (), (404, "plan-not-found")),
        ({"currency": "SEK"}, (), (409, "plan-not-sold")),
        ({"currency": "USD", "interval": "year"}, (), (409, "plan-not-sold")),
        ({"currency": "USD"}, BUNDLE, (409, "currency-mismatch")),
        ({}, ("nothing",), (404, "addon-not-found")),
        ({}, ("retired",), (409, "addon-inactive")),
    ],
)
async def test_what_is_not_for_sale_is_refused_and_nothing_is_written(
    harness: Harness, changes: Json, addons: tuple[str, ...], problem: tuple[int, str]
) -> None:
    await harness.given_an_addon("retired")
    await harness.execute("update addons set is_active = false where slug = 'retired'")

    refused = await refusal_of(harness, upgrade(await harness.given_a_workspace(None), *addons, **changes))

    assert (refused.status, refused.slug) == problem
    assert (await purchases_of(harness), await states_of(harness), await sessions_of(harness)) == ([], [], [])


async def test_a_workspace_with_a_subscription_does_not_buy_another(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    await harness.execute(
        "insert into subscriptions (stripe_subscription_id, workspace_id, status) values ('sub_1', :ws, 'past_due')",
        ws=workspace,
    )

    assert (await refusal_of(harness, upgrade(workspace))).slug == "already-subscribed"


async def test_an_addon_that_was_bought_already_is_not_in_a_bundle(harness: Harness) -> None:
    workspace = await harness.given_a_workspace()
    await harness.buy(harness.order(workspace))

    assert (await refusal_of(harness, upgrade(workspace, *BUNDLE))).slug == "already-purchased"


async def test_a_repeated_key_gets_the_same_page_and_another_body_is_refused(harness: Harness) -> None:
    wanted = upgrade(await harness.given_a_workspace(None), *BUNDLE, idempotency_key="k")
    first = await open_page(harness, wanted)

    again = await open_page(harness, wanted)

    assert (again.session_id, again.url, again.repeated) == (first.session_id, first.url, True)
    assert (await refusal_of(harness, upgrade(wanted.workspace_id, idempotency_key="k"))).status == 422
    await complete(harness, first.session_id)
    assert (await refusal_of(harness, wanted)).slug == "checkout-over"


async def test_what_stripe_refuses_fails_the_bundle_and_frees_it(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    await harness.control.fault("error_before", operation="checkout.sessions.create", status=400)

    refused = await refusal_of(harness, upgrade(workspace, *BUNDLE))

    assert (refused.status, refused.slug) == (502, "stripe-refused")
    assert [(one.status, one.payable) for one in await purchases_of(harness)] == [(Status.FAILED, False)] * 2
    assert (await open_page(harness, upgrade(workspace, *BUNDLE))).url


async def test_a_price_that_was_archived_is_made_anew_for_the_same_checkout(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    first = await open_page(harness, upgrade(workspace, "setup"))
    await harness.control.expire_session(first.session_id)
    await harness.deliver(*await harness.facts())
    (row,) = await purchases_of(harness)
    archived = str(row.stripe_price_id)
    await harness.client.v1.prices.update_async(archived, {"active": False})

    opened = await open_page(harness, upgrade(workspace, "setup"))

    await complete(harness, opened.session_id)
    assert [one.stripe_price_id == archived for one in await purchases_of(harness)] == [True, False]
    assert [one.status for one in await purchases_of(harness)] == [Status.CANCELLED, Status.PAID]


async def test_however_many_start_at_once_one_session_is_open(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)

    answers = await asyncio.gather(
        *(open_page(harness, upgrade(workspace, *BUNDLE)) for _ in range(6)), return_exceptions=True
    )

    refused = [one for one in answers if isinstance(one, Problem)]
    assert {one.slug for one in refused} <= {"checkout-busy", "already-purchased"}
    assert any(isinstance(one, Opened) for one in answers)
    assert len([one for one in await sessions_of(harness) if one["status"] == "open"]) == 1
    assert len([one for one in await purchases_of(harness) if one.status is Status.PENDING]) == 2
