"""Appliers of what Stripe says of Checkout sessions that sold the plan."""

from chassis.kafka.records import Received
from contracts import stripe_facts
from purchases.batch.context import BatchContext, cause_of, fact_as
from purchases.checkout import store as checkouts
from purchases.checkout.events import is_stored
from purchases.stripe_api.checkout import UNPAID
from purchases.subscriptions.events import enqueue_charge_sync
from purchases.subscriptions.store_snapshot import confirm, enqueue_sync
from purchases.workspaces.rows import Workspace


async def session_completed(context: BatchContext, received: Received) -> None:
    """Grant builder at once for a Checkout that sold the plan, unless something newer is known.

    Complete and unpaid gives nothing yet: a bank is at work, and the subscription is fetched.
    """
    fact = fact_as(stripe_facts.CheckoutSessionCompleted, received)
    workspace = context.workspaces_by_event.get(fact.stripe_event_id)
    if fact.mode != "subscription" or fact.subscription_id is None or workspace is None:
        return
    if fact.payment_status == UNPAID:
        await enqueue_sync(context.session, fact.subscription_id, workspace.id)
        return
    await _grant(context, workspace, fact, fact.subscription_id)


async def session_paid(context: BatchContext, received: Received) -> None:
    """Grant builder at once for a Checkout that was complete and unpaid: a bank has paid."""
    fact = fact_as(stripe_facts.CheckoutSessionPaid, received)
    workspace = context.workspaces_by_event.get(fact.stripe_event_id)
    if fact.mode != "subscription" or fact.subscription_id is None or workspace is None:
        return
    await _grant(context, workspace, fact, fact.subscription_id)


async def session_unpaid(context: BatchContext, received: Received) -> None:
    """Sync the subscription of a Checkout that was complete, and that a bank will not pay."""
    fact = fact_as(stripe_facts.CheckoutSessionUnpaid, received)
    workspace = context.workspaces_by_event.get(fact.stripe_event_id)
    if fact.mode == "subscription" and fact.subscription_id is not None and workspace is not None:
        await enqueue_sync(context.session, fact.subscription_id, workspace.id)


async def _grant(
    context: BatchContext, workspace: Workspace, fact: stripe_facts.CheckoutSessionFact, subscription_id: str
) -> None:
    """Grant builder at once by a session that we stored; for one that only says that it is ours, enqueue a sync."""
    checkout = await checkouts.of_session(context.session, fact.session_id)
    if not is_stored(fact.session_id, checkout, context.purchases_of(fact)):
        await enqueue_sync(context.session, subscription_id, workspace.id)
        return
    await confirm(context.session, workspace, subscription_id, at=fact.occurred_at, cause=cause_of(fact))
    context.learned.add(subscription_id)
    await enqueue_charge_sync(context, workspace, subscription_id)
