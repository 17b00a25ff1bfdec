"""Something for each kind of job that is about a subscription to do."""

from collections.abc import Awaitable, Callable
from typing import Any

from contracts.stripe_facts import SubscriptionChanged
from purchases.ledger.transitions import Status
from tests.integration.purchases.checkouts import (
    BUNDLE,
    given_builder_and_two_addons,
    open_page,
    purchases_of,
    upgrade,
)
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.left_job import LeftToDo
from tests.integration.purchases.subscribers import Subscriber, given_a_subscriber


async def _subscribed(harness: Harness, *, ours: bool = True) -> tuple[Subscriber, dict[str, str]]:
    subscriber = await given_a_subscriber(harness)
    made = await subscriber.subscribe(ours=ours)
    return subscriber, {"workspace": subscriber.workspace_id, "subscription": made}


async def cancelled_unheard(harness: Harness) -> LeftToDo:
    subscriber, ids = await _subscribed(harness)
    await subscriber.hear()
    await harness.client.v1.subscriptions.cancel_async(ids["subscription"])
    return LeftToDo(ids=ids, seen=subscriber.plan, expected="free")


async def a_period_that_ended(harness: Harness) -> LeftToDo:
    """Cancelled since nothing was read of it."""
    left = await cancelled_unheard(harness)
    await harness.execute("update subscriptions set current_period_end = now() - interval '2 minutes', told_at = null")
    return left


async def a_renewal_that_failed(harness: Harness) -> LeftToDo:
    subscriber, ids = await _subscribed(harness)
    await subscriber.hear()
    method = (await harness.control.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await harness.control.change_card(method, "chargeCustomerFail")
    await harness.control.renew(ids["subscription"])
    owed = [one for one in (await harness.control.objects(kind="invoice"))["invoice"] if one["status"] == "open"]

    async def seen() -> list[str]:
        return [body["stripe_invoice_id"] for kind, body in await subscriber.published() if kind == "renewal_failed"]

    return LeftToDo(ids=ids | {"invoice": owed[0]["id"]}, seen=seen, expected=[owed[0]["id"]])


async def subscribed_unheard(harness: Harness) -> LeftToDo:
    subscriber, ids = await _subscribed(harness)
    return LeftToDo(ids=ids, seen=subscriber.plan, expected="builder")


async def subscribed_before_it_was_registered(harness: Harness) -> LeftToDo:
    subscriber, ids = await _subscribed(harness, ours=False)
    return LeftToDo(ids=ids, seen=subscriber.plan, expected="builder")


async def a_next_charge_to_fetch(harness: Harness) -> LeftToDo:
    subscriber, ids = await _subscribed(harness)
    await subscriber.hear()
    await harness.execute("update subscriptions set next_charge_as_of = null, next_charge_cents = null")

    async def seen() -> Any:
        return [row["next_charge_cents"] for row in await harness.rows("select next_charge_cents from subscriptions")]

    return LeftToDo(ids=ids, seen=seen, expected=[900])


async def _two_subscriptions(harness: Harness) -> tuple[Subscriber, dict[str, str]]:
    subscriber, ids = await _subscribed(harness)
    await subscriber.hear()
    since = len(await harness.control.events())
    second = await subscriber.subscribe()
    await harness.deliver(*[one for one in await harness.facts(since=since) if isinstance(one, SubscriptionChanged)])
    return subscriber, ids | {"subscription": second}


def _one_runs_and_one_went_back(harness: Harness) -> Callable[[], Awaitable[Any]]:
    async def seen() -> Any:
        found = await harness.control.objects()
        statuses = sorted(one["status"] for one in found["subscription"])
        return statuses, [one["amount"] for one in found.get("refund", [])]

    return seen


async def one_subscription_too_many(harness: Harness) -> LeftToDo:
    _, ids = await _two_subscriptions(harness)
    expected = (["active", "canceled"], [900])
    return LeftToDo(ids=ids, seen=_one_runs_and_one_went_back(harness), expected=expected)


async def a_subscription_to_end(harness: Harness) -> LeftToDo:
    _, ids = await _two_subscriptions(harness)
    await harness.execute(
        "update subscriptions set is_extra = true where stripe_subscription_id = :id", id=ids["subscription"]
    )
    expected = (["active", "canceled"], [900])
    return LeftToDo(ids=ids, seen=_one_runs_and_one_went_back(harness), expected=expected)


async def a_first_payment_that_nobody_finished(harness: Harness) -> LeftToDo:
    subscriber = await given_a_subscriber(harness, card="pm_card_chargeCustomerFail")
    made = await subscriber.subscribe()
    await subscriber.hear()

    async def seen() -> Any:
        found = await harness.control.objects()
        return [one["status"] for one in found["subscription"]], [one["status"] for one in found["invoice"]]

    ids = {"workspace": subscriber.workspace_id, "subscription": made}
    return LeftToDo(ids=ids, seen=seen, expected=(["canceled"], ["void"]))


async def a_checkout_paid_unheard(harness: Harness) -> LeftToDo:
    await given_builder_and_two_addons(harness)
    opened = await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
    await harness.control.complete_session(opened.session_id)
    (row,) = await harness.rows("select id from checkout_sessions")

    async def seen() -> Any:
        return [one.status for one in await purchases_of(harness)]

    ids = {"checkout": str(row["id"]), "session": opened.session_id}
    return LeftToDo(ids=ids, seen=seen, expected=[Status.PAID, Status.PAID])
