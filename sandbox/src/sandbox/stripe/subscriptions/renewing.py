"""What time does to a subscription: a trial ends, a period ends, a draft is collected, a payment is tried again."""

from dataclasses import replace

from sandbox.stripe import invoicing
from sandbox.stripe.call import Call
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.subscriptions import bills, collecting, ending, pausing
from sandbox.stripe.subscriptions.calendar import end_of_period
from sandbox.stripe.subscriptions.model import Subscription
from sandbox.stripe.subscriptions.states import change, renewed


def tell_of_trial(*, call: Call, subscription: Subscription) -> None:
    """Three days before its end."""
    announced = call.save(replace(subscription, trial_end_announced=True))
    call.emit("customer.subscription.trial_will_end", announced)


def end_trial(*, call: Call, subscription: Subscription) -> None:
    """Bill the first period, or do what was asked for where there is no card to charge."""
    customer = call.account.customers.get(subscription.customer)
    if subscription.default_payment_method or customer.default_payment_method:
        renew(call=call, subscription=subscription)
    elif subscription.missing_payment_method == "cancel":
        ending.cancel(call=call, subscription=subscription, reason="payment_failed")
    elif subscription.missing_payment_method == "pause":
        pausing.pause(call=call, subscription=subscription)
    else:
        renew(call=call, subscription=subscription)


def renew(*, call: Call, subscription: Subscription) -> None:
    """Begin the next period; its invoice stays a draft for a while, for ever where the subscription is unpaid."""
    was = subscription.period_start, subscription.period_end
    moved = next_period(subscription)
    status = moved.status
    collects = status != "unpaid" and (moved.pause_collection or {}).get("behavior") != "keep_as_draft"
    bill = bills.bill(
        call=call,
        subscription=moved,
        reason="subscription_cycle",
        charged=moved.items,
        items=bills.pending(call=call, subscription=moved),
        period=was,
        finalizes_at=call.now + call.account.settings.draft_seconds if collects else None,
    )
    change(call=call, subscription=subscription, status=status, items=moved.items, latest_invoice=bill.invoice.id)
    bills.store(call=call, bill=bill)


def next_period(subscription: Subscription) -> Subscription:
    """Return the subscription in its next period. Not stored yet."""
    start = subscription.period_end
    end = end_of_period(start=start, anchor=subscription.anchor, price=subscription.items[0].price)
    status = "active" if subscription.status == "trialing" else subscription.status
    return renewed(subscription, start=start, end=end, status=status)


def collect_draft(*, call: Call, invoice: Invoice) -> None:
    """Finalise and charge, unless the subscription's collection is paused."""
    subscription = call.account.subscriptions.get(str(invoice.subscription))
    behaviour = (subscription.pause_collection or {}).get("behavior")
    if behaviour == "void":
        invoicing.void(call=call, invoice=invoicing.finalize(call=call, invoice=invoice))
    elif behaviour == "mark_uncollectible":
        invoicing.mark_uncollectible(call=call, invoice=invoicing.finalize(call=call, invoice=invoice))
    else:
        collecting.finalize_and_collect(call=call, invoice=invoice)


def expire(*, call: Call, subscription: Subscription) -> None:
    """Void a first invoice that was not paid in time, and end the subscription."""
    invoice = call.account.invoices.get(str(subscription.latest_invoice))
    if invoice.status == "open":
        invoicing.void(call=call, invoice=invoice)
    else:
        change(call=call, subscription=subscription, status="incomplete_expired", ended_at=call.now)
