"""The signup bundle: a Checkout sells the plan with add-ons; one is open at a time, and none is ever lost."""

import asyncio
import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

import pytest

from chassis.problems import Problem
from contracts.stripe_facts import CheckoutSessionExpired, SubscriptionChanged
from purchases.domain.transitions import Status
from purchases.handlers.buying.buy import Outcome
from purchases.handlers.checkout.open_checkout import Desk, Opened, open_checkout
from purchases.handlers.checkout.start_checkout import Upgrade
from purchases.store.rows import Purchase
from tests.integration.purchases.moves import BUYER, SAID, cancel_it
from tests.integration.purchases.world import INSTANCE, LEASE, PRICE, Json, World

BUNDLE: Final = ("setup", "training")
UNHEARD: Final = ("close_after", "error_after", "close_before", "error_before")
OVER: Final = "update checkout_sessions set leased_until = null"


@pytest.fixture(autouse=True)
async def plan(world: World) -> Mapping[tuple[str, str], str]:
    """`builder` as `bootstrap-stripe` and the catalog's facts leave it, and two add-ons."""
    prices = {
        (interval, currency): await _price(world, interval, currency, amount)
        for interval, currency, amount in (("month", "EUR", 900), ("year", "EUR", 8900), ("month", "USD", 900))
    }
    told = [
        {"interval": interval, "currency": currency, "price_cents": 1, "stripe_price_id": price}
        for (interval, currency), price in prices.items()
    ]
    told.append({"interval": "year", "currency": "USD", "price_cents": 1, "stripe_price_id": None})
    await world.execute(
        "insert into plans (slug, sequence, name, caps, prices) values ('builder', 1, 'Builder', '{}', :prices)",
        prices=json.dumps(told),
    )
    for slug in BUNDLE:
        await world.given_an_addon(slug)
    return prices


async def _price(world: World, interval: Any, currency: str, amount: int) -> str:
    price = await world.client.v1.prices.create_async(
        {
            "currency": currency.lower(),
            "unit_amount": amount,
            "recurring": {"interval": interval},
            "product_data": {"name": "Builder"},
        }
    )
    return price.id


def upgrade(workspace: str, *addons: str, **changes: Any) -> Upgrade:
    asked: Json = {
        "workspace_id": workspace,
        "plan": "builder",
        "interval": "month",
        "currency": "EUR",
        "addons": addons,
        "success_url": "https://app.example/welcome",
        "cancel_url": "https://app.example/pricing",
        "idempotency_key": uuid.uuid4().hex,
        "buyer": "user:olga",
    }
    return Upgrade(**(asked | changes))


async def _open(world: World, wanted: Upgrade) -> Opened:
    return await open_checkout(
        Desk(database=world.database, client=world.client, instance=INSTANCE, lease=LEASE), wanted
    )


async def _refused(world: World, wanted: Upgrade) -> Problem:
    with pytest.raises(Problem) as refused:
        await _open(world, wanted)
    return refused.value


async def _rows(world: World) -> list[Purchase]:
    ids = await world.rows("select id from workspace_addon_purchases order by started_at, idempotency_key")
    return [await world.purchase(row["id"]) for row in ids]


async def _sessions(world: World) -> list[Json]:
    return (await world.control.objects(kind="checkout.session")).get("checkout.session", [])


async def _states(world: World) -> list[str]:
    return [row["state"] for row in await world.rows("select state from checkout_sessions order by created_at")]


async def _complete(world: World, session_id: str) -> None:
    await world.control.complete_session(session_id)
    await world.tell(*await world.facts())
    await world.settle_everything()


async def test_the_bundle_is_pending_under_one_session_and_paid_when_it_completes(
    world: World, plan: Mapping[tuple[str, str], str]
) -> None:
    workspace = await world.given_a_workspace(None)

    opened = await _open(world, upgrade(workspace, *BUNDLE))

    rows = await _rows(world)
    assert [(one.status, one.payable, one.stripe_checkout_session_id) for one in rows] == [
        (Status.PENDING, True, opened.session_id)
    ] * 2
    (session,) = await _sessions(world)
    assert (session["id"], session["url"]) == (opened.session_id, opened.url)
    assert session["metadata"]["purchase_ids"] == ",".join(str(one.id) for one in rows)
    assert (session["metadata"]["quittance_instance"], session["metadata"]["workspace_id"]) == (INSTANCE, workspace)
    assert 30 * 60 <= session["expires_at"] - session["created"] < 35 * 60
    assert (session["payment_method_types"], session["adaptive_pricing"]) == (["card"], {"enabled": False})

    await _complete(world, opened.session_id)

    rows = await _rows(world)
    (subscription,) = (await world.control.objects(kind="subscription"))["subscription"]
    assert subscription["metadata"] == session["metadata"]
    assert [(one.status, one.payable, one.paid_cents) for one in rows] == [(Status.PAID, False, PRICE)] * 2
    assert {one.stripe_subscription_id for one in rows} == {subscription["id"]}
    assert await _states(world) == ["complete"]
    assert (await world.control.sums())["total"]["eur"]["captured"] == 900 + 2 * PRICE


async def test_twenty_addons_are_named_in_two_values(world: World) -> None:
    slugs = [await world.given_an_addon(f"service-{number}") for number in range(20)]

    opened = await _open(world, upgrade(await world.given_a_workspace(None), *slugs))
    await _complete(world, opened.session_id)

    (session,) = await _sessions(world)
    assert [len(session["metadata"][key].split(",")) for key in ("purchase_ids", "purchase_ids_2")] == [12, 8]
    assert {one.status for one in await _rows(world)} == {Status.PAID}


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
    world: World, changes: Json, addons: tuple[str, ...], problem: tuple[int, str]
) -> None:
    await world.given_an_addon("retired")
    await world.execute("update addons set is_active = false where slug = 'retired'")

    refused = await _refused(world, upgrade(await world.given_a_workspace(None), *addons, **changes))

    assert (refused.status, refused.slug) == problem
    assert (await _rows(world), await _states(world), await _sessions(world)) == ([], [], [])


async def test_a_workspace_with_a_subscription_does_not_buy_another(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    await world.execute(
        "insert into subscriptions (stripe_subscription_id, workspace_id, status) values ('sub_1', :ws, 'past_due')",
        ws=workspace,
    )

    assert (await _refused(world, upgrade(workspace))).slug == "already-subscribed"


async def test_an_addon_that_was_bought_already_is_not_in_a_bundle(world: World) -> None:
    workspace = await world.given_a_workspace()
    await world.buy(world.order(workspace))

    assert (await _refused(world, upgrade(workspace, *BUNDLE))).slug == "already-purchased"


async def test_a_repeated_key_gets_the_same_page_and_another_body_is_refused(world: World) -> None:
    wanted = upgrade(await world.given_a_workspace(None), *BUNDLE, idempotency_key="k")
    first = await _open(world, wanted)

    again = await _open(world, wanted)

    assert (again.session_id, again.url, again.repeated) == (first.session_id, first.url, True)
    assert (await _refused(world, upgrade(wanted.workspace_id, idempotency_key="k"))).status == 422
    await _complete(world, first.session_id)
    assert (await _refused(world, wanted)).slug == "checkout-over"


async def test_another_checkout_ends_the_first_and_frees_its_bundle(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    first = await _open(world, upgrade(workspace, *BUNDLE))

    second = await _open(world, upgrade(workspace, "setup"))

    assert [(one["id"], one["status"]) for one in await _sessions(world)] == [
        (first.session_id, "expired"),
        (second.session_id, "open"),
    ]
    assert [one.status for one in await _rows(world)] == [Status.CANCELLED, Status.CANCELLED, Status.PENDING]
    await _complete(world, second.session_id)
    assert [one.status for one in await _rows(world)] == [Status.CANCELLED, Status.CANCELLED, Status.PAID]
    assert await _states(world) == ["expired", "complete"]


async def test_one_that_was_completed_unheard_is_not_bought_again(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    first = await _open(world, upgrade(workspace, *BUNDLE))
    await world.control.complete_session(first.session_id)

    refused = await _refused(world, upgrade(workspace, "setup"))

    assert refused.slug == "already-purchased"
    assert len(await _sessions(world)) == 1
    await world.execute("update stripe_commands set due_at = now()")
    await world.settle_everything()
    assert {one.status for one in await _rows(world)} == {Status.PAID}


@pytest.mark.parametrize("operation", ["checkout.sessions.retrieve", "checkout.sessions.expire"])
@pytest.mark.parametrize("fault", ["close_before", "close_after", "error_before"])
async def test_without_stripes_word_the_first_stays_and_the_second_waits(
    world: World, operation: str, fault: str
) -> None:
    workspace = await world.given_a_workspace(None)
    await _open(world, upgrade(workspace, *BUNDLE))
    await world.control.fault(fault, operation=operation)

    refused = await _refused(world, upgrade(workspace))

    assert (refused.status, refused.slug) == (409, "checkout-busy")
    assert refused.headers["Retry-After"]
    assert await _states(world) == ["open"]
    await world.control.forget_idempotency_keys()
    assert (await _open(world, upgrade(workspace))).url
    assert await _states(world) == ["expired", "open"]


async def test_its_time_is_up_and_the_bundle_is_cancelled(world: World) -> None:
    opened = await _open(world, upgrade(await world.given_a_workspace(None), *BUNDLE))
    await world.control.expire_session(opened.session_id)

    await world.tell(*await world.facts())

    assert [(one.status, one.payable) for one in await _rows(world)] == [(Status.CANCELLED, False)] * 2
    assert await _states(world) == ["expired"]


async def test_an_expiry_that_was_never_heard_of_is_found_by_looking(world: World) -> None:
    opened = await _open(world, upgrade(await world.given_a_workspace(None), *BUNDLE))
    await world.execute(OVER)
    await world.control.expire_session(opened.session_id)

    await world.carry_out_commands()

    assert {one.status for one in await _rows(world)} == {Status.CANCELLED}


async def test_an_open_one_is_left_by_settling(world: World) -> None:
    await _open(world, upgrade(await world.given_a_workspace(None), *BUNDLE))
    for row in await _rows(world):
        await world.execute(
            "insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts)"
            " values ('settle', :key, :id, '{}', 'open', 1, now(), 0)",
            key=f"settle:{row.id}",
            id=str(row.id),
        )

    await world.carry_out_commands()

    assert [(one.status, one.payable) for one in await _rows(world)] == [(Status.PENDING, True)] * 2
    assert await _states(world) == ["open"]


@pytest.mark.parametrize("fault", UNHEARD)
async def test_a_session_whose_making_was_not_heard_is_opened_by_the_repeat(world: World, fault: str) -> None:
    """Also where Stripe answered 5xx, which it repeats for ever under the same key: there is one page, and one sale."""
    wanted = upgrade(await world.given_a_workspace(None), *BUNDLE)
    await world.control.fault(fault, operation="checkout.sessions.create")
    assert (await _refused(world, wanted)).status == 503
    assert {one.status for one in await _rows(world)} == {Status.PENDING}

    opened = await _open(world, wanted)

    assert [one["id"] for one in await _sessions(world)] == [opened.session_id]
    await _complete(world, opened.session_id)
    assert {one.status for one in await _rows(world)} == {Status.PAID}


@pytest.mark.parametrize("fault", UNHEARD)
async def test_a_session_whose_making_was_not_heard_and_that_nobody_asks_for_again_is_found(
    world: World, fault: str
) -> None:
    await world.control.fault(fault, operation="checkout.sessions.create")
    await _refused(world, upgrade(await world.given_a_workspace(None), *BUNDLE))

    await world.execute("update stripe_commands set due_at = now()")
    await world.carry_out_commands()

    made = fault.endswith("after")
    assert await _states(world) == ["open" if made else "expired"]
    assert {one.status for one in await _rows(world)} == {Status.PENDING if made else Status.FAILED}


async def test_a_page_that_was_paid_unheard_is_not_opened_by_the_repeat(world: World) -> None:
    wanted = upgrade(await world.given_a_workspace(None), *BUNDLE)
    await world.control.fault("error_after", operation="checkout.sessions.create")
    await _refused(world, wanted)
    (session,) = await _sessions(world)
    await world.control.complete_session(session["id"])

    refused = await _refused(world, wanted)

    assert (refused.status, refused.slug) == (409, "checkout-over")
    assert await _states(world) == ["complete"]
    assert [one["id"] for one in await _sessions(world)] == [session["id"]]


@pytest.mark.parametrize("fault", UNHEARD)
async def test_after_an_unheard_session_another_checkout_leaves_one_open(world: World, fault: str) -> None:
    workspace = await world.given_a_workspace(None)
    await world.control.fault(fault, operation="checkout.sessions.create")
    await _refused(world, upgrade(workspace, *BUNDLE))

    opened = await _open(world, upgrade(workspace, *BUNDLE))

    assert [one["id"] for one in await _sessions(world) if one["status"] == "open"] == [opened.session_id]
    assert await _states(world) == ["expired", "open"]
    await _complete(world, opened.session_id)
    paid = [one for one in await _rows(world) if one.status is Status.PAID]
    assert [one.stripe_checkout_session_id for one in paid] == [opened.session_id] * 2
    assert (await world.control.sums())["total"]["eur"]["captured"] == 900 + 2 * PRICE


async def test_what_stripe_refuses_fails_the_bundle_and_frees_it(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    await world.control.fault("error_before", operation="checkout.sessions.create", status=400)

    refused = await _refused(world, upgrade(workspace, *BUNDLE))

    assert (refused.status, refused.slug) == (502, "stripe-refused")
    assert [(one.status, one.payable) for one in await _rows(world)] == [(Status.FAILED, False)] * 2
    assert (await _open(world, upgrade(workspace, *BUNDLE))).url


async def test_a_price_that_was_archived_is_made_anew_for_the_next_checkout(world: World) -> None:
    workspace = await world.given_a_workspace(None)
    first = await _open(world, upgrade(workspace, "setup"))
    await world.control.expire_session(first.session_id)
    await world.tell(*await world.facts())
    (row,) = await _rows(world)
    archived = str(row.stripe_price_id)
    await world.client.v1.prices.update_async(archived, {"active": False})
    assert (await _refused(world, upgrade(workspace, "setup"))).slug == "stripe-refused"

    opened = await _open(world, upgrade(workspace, "setup"))

    await _complete(world, opened.session_id)
    assert [one.stripe_price_id == archived for one in await _rows(world)] == [True, True, False]
    assert [one.status for one in await _rows(world)] == [Status.CANCELLED, Status.FAILED, Status.PAID]


async def test_however_many_start_at_once_one_session_is_open(world: World) -> None:
    workspace = await world.given_a_workspace(None)

    answers = await asyncio.gather(
        *(_open(world, upgrade(workspace, *BUNDLE)) for _ in range(6)), return_exceptions=True
    )

    refused = [one for one in answers if isinstance(one, Problem)]
    assert {one.slug for one in refused} <= {"checkout-busy", "already-purchased"}
    assert any(isinstance(one, Opened) for one in answers)
    assert len([one for one in await _sessions(world) if one["status"] == "open"]) == 1
    assert len([one for one in await _rows(world) if one.status is Status.PENDING]) == 2


async def test_buying_one_of_it_with_the_saved_card_ends_it_first(world: World) -> None:
    workspace = await world.given_a_workspace()
    opened = await _open(world, upgrade(workspace, *BUNDLE))

    bought = await world.buy(world.order(workspace, "setup"))

    assert bought.outcome is Outcome.PAID
    assert [one["status"] for one in await _sessions(world) if one["id"] == opened.session_id] == ["expired"]
    assert sorted(one.status for one in await _rows(world)) == [Status.CANCELLED, Status.CANCELLED, Status.PAID]
    assert (await world.control.sums())["total"]["eur"]["captured"] == PRICE


async def test_buying_one_that_was_just_paid_in_checkout_is_refused(world: World) -> None:
    workspace = await world.given_a_workspace()
    opened = await _open(world, upgrade(workspace, *BUNDLE))
    await world.control.complete_session(opened.session_id)

    with pytest.raises(Problem) as refused:
        await world.buy(world.order(workspace, "setup"))

    assert refused.value.slug == "already-purchased"


async def test_cancelling_one_of_it_ends_it_first(world: World) -> None:
    opened = await _open(world, upgrade(await world.given_a_workspace(None), *BUNDLE))

    cancelled = await cancel_it(world, (await _rows(world))[0])

    assert (cancelled.status, cancelled.payable) == (Status.CANCELLED, False)
    assert {one.status for one in await _rows(world)} == {Status.CANCELLED}
    assert [(one["id"], one["status"]) for one in await _sessions(world)] == [(opened.session_id, "expired")]
    lines = await world.rows("select distinct actor, reason from purchase_transitions where to_status = 'cancelled'")
    assert [(one["actor"], one["reason"]) for one in lines] == [(BUYER, SAID)]


async def test_cancelling_one_that_was_just_paid_in_checkout_is_refused(world: World) -> None:
    opened = await _open(world, upgrade(await world.given_a_workspace(None), *BUNDLE))
    await world.control.complete_session(opened.session_id)

    with pytest.raises(Problem) as refused:
        await cancel_it(world, (await _rows(world))[0])

    assert refused.value.slug == "already-purchased"
    await world.tell(*await world.facts())
    assert {one.status for one in await _rows(world)} == {Status.PAID}


async def test_buying_something_else_leaves_it_alone(world: World) -> None:
    workspace = await world.given_a_workspace()
    opened = await _open(world, upgrade(workspace, "training"))

    assert (await world.buy(world.order(workspace, "setup"))).outcome is Outcome.PAID

    assert [one["status"] for one in await _sessions(world) if one["id"] == opened.session_id] == ["open"]


async def test_events_that_come_before_the_request_has_stored_the_session_are_not_lost(world: World) -> None:
    """Stripe made it, we did not hear, and the buyer was quick."""
    await world.control.fault("close_after", operation="checkout.sessions.create")
    await _refused(world, upgrade(await world.given_a_workspace(None), *BUNDLE))
    (session,) = await _sessions(world)
    await world.control.complete_session(session["id"])

    await world.tell(*reversed([one for one in await world.facts() if not isinstance(one, SubscriptionChanged)]))
    await world.settle_everything()

    assert {one.status for one in await _rows(world)} == {Status.PAID}
    assert await _states(world) == ["complete"]


async def test_an_expiry_told_after_the_payment_changes_nothing(world: World) -> None:
    opened = await _open(world, upgrade(await world.given_a_workspace(None), *BUNDLE))
    await _complete(world, opened.session_id)
    (completed,) = [one for one in await world.facts() if one.stripe_event_type == "checkout.session.completed"]
    members = completed.model_dump(include=set(CheckoutSessionExpired.model_fields))
    late = CheckoutSessionExpired.model_validate(members | {"stripe_event_id": "evt_late"})

    await world.tell(late)

    assert {one.status for one in await _rows(world)} == {Status.PAID}
    assert await _states(world) == ["complete"]
