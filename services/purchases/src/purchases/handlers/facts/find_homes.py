"""Which workspace a fact of a subscription is about: by the subscription, by our metadata, by the customer."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Fact
from contracts import stripe_facts as told
from purchases.store import subscriptions, workspaces

Told = (
    told.SubscriptionChanged
    | told.SubscriptionScheduleChanged
    | told.CheckoutSessionCompleted
    | told.CheckoutSessionPaid
    | told.CheckoutSessionUnpaid
    | told.InvoicePaid
    | told.InvoicePaymentFailed
)


async def find_homes(
    session: AsyncSession, facts: Sequence[Fact], *, instance: str, prices: Collection[str]
) -> dict[str, str]:
    """By Stripe event id: the id of the workspace, which the caller locks."""
    about = [fact for fact in facts if isinstance(fact, Told) and fact.subscription_id is not None]
    if not about:
        return {}
    by_subscription = await subscriptions.homes(session, {str(fact.subscription_id) for fact in about})
    named = {fact.workspace_id for fact in about if fact.workspace_id and fact.quittance_instance == instance}
    registered = await workspaces.registered(session, named)
    # A customer of ours may have subscriptions of another product: without our metadata only our price tells.
    bought = [fact for fact in about if fact.customer_id and is_of_our_plan(fact, instance=instance, prices=prices)]
    by_customer = await workspaces.by_customer(session, {str(fact.customer_id) for fact in bought})
    found: dict[str, str] = {}
    for fact in about:
        home = by_subscription.get(str(fact.subscription_id))
        if home is None and fact.quittance_instance == instance and fact.workspace_id in registered:
            home = fact.workspace_id
        if home is None and fact in bought:
            home = by_customer.get(str(fact.customer_id))
        if home is not None:
            found[fact.stripe_event_id] = home
    return found


def is_of_our_plan(fact: Told, *, instance: str, prices: Collection[str]) -> bool:
    """Whether it shows a price of the plan."""
    match fact:
        case told.SubscriptionChanged():
            ours = f"quittance:{instance}:"
            return any(one.price_id in prices or (one.lookup_key or "").startswith(ours) for one in fact.items)
        case told.InvoiceFact():
            return any(line.price_id in prices for line in fact.lines)
    return False
