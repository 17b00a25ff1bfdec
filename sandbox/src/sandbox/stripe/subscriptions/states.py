"""How a subscription changes: stored, and emitted with what it was before."""

from dataclasses import replace
from typing import Any

from sandbox.stripe.call import Call
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.subscriptions.model import Subscription


def change(*, call: Call, subscription: Subscription, **changes: Any) -> Subscription:
    """Store the changes and tell of them, if there are any."""
    changed = replace(subscription, **changes)
    if changed == subscription:
        return subscription
    call.save(changed)
    call.emit("customer.subscription.updated", changed, before=subscription)
    return changed


def latest_of(*, call: Call, invoice: Invoice) -> Subscription | None:
    """Return the subscription whose state hangs on this invoice: its latest one, and it is not over."""
    subscription = call.account.subscriptions.find(invoice.subscription) if invoice.subscription else None
    if subscription is None or subscription.is_over or subscription.latest_invoice != invoice.id:
        return None
    return subscription


def running(*, call: Call, subscription: Subscription) -> str:
    """Return the status of a subscription that owes nothing."""
    in_trial = subscription.trial_end is not None and call.now < subscription.trial_end
    return "trialing" if in_trial else "active"


def renewed(subscription: Subscription, *, start: int, end: int, **changes: Any) -> Subscription:
    """Put all items in a new period. Not stored yet."""
    items = tuple(replace(item, period_start=start, period_end=end) for item in subscription.items)
    return replace(subscription, items=items, **changes)
