"""Which workspace a fact of the plan is about: by the subscription, our metadata, the customer; by what paid for it."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Fact, stripe_facts
from purchases.ledger import plan_money
from purchases.stripe_api.snapshots import is_our_price
from purchases.subscriptions import store as subscriptions
from purchases.workspaces import store as workspaces

SubscriptionFact = (
    stripe_facts.SubscriptionChanged
    | stripe_facts.SubscriptionScheduleChanged
    | stripe_facts.CheckoutSessionCompleted
    | stripe_facts.CheckoutSessionPaid
    | stripe_facts.CheckoutSessionUnpaid
    | stripe_facts.InvoicePaid
    | stripe_facts.InvoicePaymentFailed
)


async def workspaces_by_event(
    session: AsyncSession, facts: Sequence[Fact], *, instance: str, prices: Collection[str]
) -> dict[str, str]:
    """Return workspace ids by Stripe event id; the caller locks the workspaces."""
    return await _by_payment(session, facts) | await _by_subscription(session, facts, instance=instance, prices=prices)


async def _by_payment(session: AsyncSession, facts: Sequence[Fact]) -> dict[str, str]:
    """Return those of money that goes back: the workspace whose subscription its charge paid for."""
    back = {
        fact.stripe_event_id: {fact.payment_intent_id, fact.charge_id} - {None}
        for fact in facts
        if isinstance(fact, stripe_facts.ChargeRefunded | stripe_facts.RefundChanged | stripe_facts.DisputeChanged)
    }
    known = await plan_money.workspaces_by_payment(session, {str(name) for ids in back.values() for name in ids})
    found = {event: next((known[name] for name in ids if name in known), None) for event, ids in back.items()}
    return {event: workspace_id for event, workspace_id in found.items() if workspace_id is not None}


async def _by_subscription(
    session: AsyncSession, facts: Sequence[Fact], *, instance: str, prices: Collection[str]
) -> dict[str, str]:
    about = [fact for fact in facts if isinstance(fact, SubscriptionFact) and fact.subscription_id is not None]
    if not about:
        return {}
    by_subscription = await subscriptions.workspaces_of(session, {str(fact.subscription_id) for fact in about})
    named = {fact.workspace_id for fact in about if fact.workspace_id and fact.quittance_instance == instance}
    registered = await workspaces.registered(session, named)
    # A customer of ours may have subscriptions of another product: without our metadata only our price says whose.
    bought = [fact for fact in about if fact.customer_id and is_of_our_plan(fact, instance=instance, prices=prices)]
    by_customer = await workspaces.by_customer(session, {str(fact.customer_id) for fact in bought})
    found: dict[str, str] = {}
    for fact in about:
        workspace_id = by_subscription.get(str(fact.subscription_id))
        if workspace_id is None and fact.quittance_instance == instance and fact.workspace_id in registered:
            workspace_id = fact.workspace_id
        if workspace_id is None and fact in bought:
            workspace_id = by_customer.get(str(fact.customer_id))
        if workspace_id is not None:
            found[fact.stripe_event_id] = workspace_id
    return found


def is_of_our_plan(fact: SubscriptionFact, *, instance: str, prices: Collection[str]) -> bool:
    """Return whether it shows a price of the plan."""
    match fact:
        case stripe_facts.SubscriptionChanged():
            return any(is_our_price(item, prices=prices, instance=instance) for item in fact.items)
        case stripe_facts.InvoiceFact():
            return any(line.price_id in prices for line in fact.lines)
    return False
