"""Paused: a trial ended without a card, and nothing is billed until the subscription is resumed."""

from sandbox.stripe.call import Call
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.subscriptions import bills, collecting
from sandbox.stripe.subscriptions.calendar import end_of_period
from sandbox.stripe.subscriptions.model import Subscription
from sandbox.stripe.subscriptions.states import change, renewed

TRIAL_ENDS = ("cancel", "create_invoice", "pause")
BEHAVIOURS = ("keep_as_draft", "mark_uncollectible", "void")
"""What `pause_collection` does with invoices; it leaves the status as it is."""


def pause(*, call: Call, subscription: Subscription) -> Subscription:
    """Stop billing, with status `paused`."""
    paused = change(call=call, subscription=subscription, status="paused")
    call.emit("customer.subscription.paused", paused)
    return paused


def resume(*, call: Call, subscription: Subscription) -> Subscription:
    """Begin a new period now and charge it; active, or past due where that fails."""
    if subscription.status != "paused":
        message = f"Only paused subscriptions can be resumed; this one has a status of {subscription.status}."
        raise Refusal(message)
    end = end_of_period(start=call.now, anchor=call.now, price=subscription.items[0].price)
    running = renewed(subscription, start=call.now, end=end, status="active", anchor=call.now)
    bill = bills.bill(call=call, subscription=running, reason="subscription_update", charged=running.items)
    changes = {"status": "active", "items": running.items, "anchor": call.now, "latest_invoice": bill.invoice.id}
    resumed = change(call=call, subscription=subscription, **changes)
    call.emit("customer.subscription.resumed", resumed)
    collecting.finalize_and_collect(call=call, invoice=bills.store(call=call, bill=bill))
    return call.account.subscriptions.get(subscription.id)
