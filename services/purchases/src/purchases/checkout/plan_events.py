"""Appliers of what Stripe says of Checkout sessions that sold the plan."""

from chassis.kafka.records import Received
from contracts import stripe_facts as told
from purchases.batch.work import Work, cause_of, fact_as
from purchases.checkout import store as checkouts
from purchases.checkout.events import is_stored
from purchases.stripe_api.checkout import UNPAID
from purchases.subscriptions.events import look_for_the_rest
from purchases.subscriptions.follow_subscription import confirm, look
from purchases.workspaces.rows import Workspace


async def session_completed(work: Work, received: Received) -> None:
    """Of a Checkout that sold the plan: builder at once, unless something newer is known.

    Complete and unpaid gives nothing yet: a bank is at work, and what the subscription is, Stripe is asked for.
    """
    fact = fact_as(told.CheckoutSessionCompleted, received)
    workspace = work.homes.get(fact.stripe_event_id)
    if fact.mode != "subscription" or fact.subscription_id is None or workspace is None:
        return
    if fact.payment_status == UNPAID:
        await look(work.session, fact.subscription_id, workspace.id)
        return
    await _grant(work, workspace, fact, fact.subscription_id)


async def session_paid(work: Work, received: Received) -> None:
    """A bank has paid for a Checkout that was complete and unpaid: builder at once."""
    fact = fact_as(told.CheckoutSessionPaid, received)
    workspace = work.homes.get(fact.stripe_event_id)
    if fact.mode != "subscription" or fact.subscription_id is None or workspace is None:
        return
    await _grant(work, workspace, fact, fact.subscription_id)


async def session_unpaid(work: Work, received: Received) -> None:
    """A bank will not pay for a Checkout that was complete: what the subscription is now, Stripe is asked for."""
    fact = fact_as(told.CheckoutSessionUnpaid, received)
    workspace = work.homes.get(fact.stripe_event_id)
    if fact.mode == "subscription" and fact.subscription_id is not None and workspace is not None:
        await look(work.session, fact.subscription_id, workspace.id)


async def _grant(work: Work, workspace: Workspace, fact: told.CheckoutSessionFact, subscription_id: str) -> None:
    """Builder at once by a session that we stored; one that only says that it is ours has Stripe asked."""
    checkout = await checkouts.of_session(work.session, fact.session_id)
    if not is_stored(fact.session_id, checkout, work.purchases_of(fact)):
        await look(work.session, subscription_id, workspace.id)
        return
    await confirm(work.session, workspace, subscription_id, at=fact.occurred_at, cause=cause_of(fact))
    work.learned.add(subscription_id)
    await look_for_the_rest(work, workspace, subscription_id)
