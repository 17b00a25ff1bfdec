"""A renewal that failed is announced by a look that finds it owed: also when no event came, never when it is over."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from contracts.stripe_facts import InvoicePaymentFailed
from purchases.reconcile.reconcile_subscriptions import reconcile_subscriptions
from sandbox.stripe.control import Json
from tests.integration.purchases.checkouts import (
    given_builder_and_two_addons,
    open_page,
    sessions_of,
    states_of,
    upgrade,
)
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import MONTHLY, Subscriber, given_a_subscriber


async def announced(subscriber: Subscriber) -> list[Json]:
    return [body for kind, body in await subscriber.published() if kind == "renewal_failed"]


async def card_of(harness: Harness) -> str:
    return str((await harness.control.objects(kind="payment_method"))["payment_method"][-1]["id"])


@pytest.fixture
async def subscriber(harness: Harness) -> Subscriber:
    """Whose next renewal fails."""
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await subscriber.hear()
    await harness.control.change_card(await card_of(harness), "chargeCustomerFail")
    return subscriber


async def the_subscription(subscriber: Subscriber) -> str:
    (row,) = await subscriber.rows()
    return str(row["stripe_subscription_id"])


async def test_a_renewal_whose_every_event_is_lost_is_announced_once(harness: Harness, subscriber: Subscriber) -> None:
    before = len(await harness.control.events())
    await harness.control.renew(await the_subscription(subscriber))

    for _ in range(2):
        await reconcile_subscriptions(harness.context)
        await harness.settle_everything()
    found = await announced(subscriber)
    await subscriber.hear(since=before)  # all of it comes late

    assert len(found) == 1
    (failed,) = await announced(subscriber)
    (invoice,) = [one for one in (await harness.control.objects(kind="invoice"))["invoice"] if one["status"] == "open"]
    assert (failed["stripe_invoice_id"], failed["amount_due_cents"], failed["plan"]) == (
        invoice["id"],
        MONTHLY,
        "builder",
    )
    assert failed["next_attempt_at"] is not None
    assert await subscriber.status() == "past_due"


async def test_a_renewal_of_which_only_the_failure_was_not_heard_is_announced(
    harness: Harness, subscriber: Subscriber
) -> None:
    before = len(await harness.control.events())
    await harness.control.renew(await the_subscription(subscriber))

    facts = await harness.facts(since=before)
    await harness.deliver(*[fact for fact in facts if not isinstance(fact, InvoicePaymentFailed)])
    await harness.settle_everything()

    assert len(await announced(subscriber)) == 1


async def paid(subscriber: Subscriber, subscription_id: str) -> None:
    await subscriber.harness.control.change_card(await card_of(subscriber.harness), "visa")
    await subscriber.harness.control.retry(subscription_id)


async def given_up(subscriber: Subscriber, subscription_id: str) -> None:
    await subscriber.harness.control.exhaust_retries(subscription_id)


@pytest.mark.parametrize("over", [paid, given_up], ids=["paid", "given up"])
async def test_a_failure_that_is_heard_of_when_it_is_over_mails_nobody(
    harness: Harness, subscriber: Subscriber, over: Callable[[Subscriber, str], Awaitable[None]]
) -> None:
    """Only the failure comes, and before what has come of it: that is still under way, or lost."""
    before = len(await harness.control.events())
    subscription_id = await the_subscription(subscriber)
    await harness.control.renew(subscription_id)
    await over(subscriber, subscription_id)

    failures = [one for one in await harness.facts(since=before) if isinstance(one, InvoicePaymentFailed)]
    await harness.deliver(*failures)
    await harness.settle_everything()

    assert failures != []
    assert await announced(subscriber) == []
    assert await subscriber.status() == ("active" if over is paid else "canceled")


async def test_a_page_that_is_open_is_looked_at_again_within_two_minutes(harness: Harness) -> None:
    """Given that its completion is lost, then what was paid on it is found by then."""
    await given_builder_and_two_addons(harness)
    workspace = await harness.given_a_workspace()
    await open_page(harness, upgrade(workspace))
    await harness.run_jobs()
    (job,) = await harness.rows(
        "select due_at - now() as wait from stripe_commands where kind = 'settle_checkout' and state = 'open'"
    )

    (session,) = await sessions_of(harness)
    await harness.control.complete_session(session["id"])
    await harness.run_jobs()

    assert job["wait"] <= timedelta(minutes=2)
    assert await states_of(harness) == ["complete"]
