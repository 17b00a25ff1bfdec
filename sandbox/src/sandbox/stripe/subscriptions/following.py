"""What becomes of a subscription when its latest invoice is paid, not paid, or closed without payment."""

from sandbox.stripe.call import Call
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.subscriptions.states import change, latest_of, running

OWING = ("incomplete", "past_due", "unpaid")


def paid(*, call: Call, invoice: Invoice) -> None:
    """Nothing is owed any more."""
    subscription = latest_of(call=call, invoice=invoice)
    if subscription and subscription.status in OWING:
        change(call=call, subscription=subscription, status=running(call=call, subscription=subscription))


def failed(*, call: Call, invoice: Invoice) -> None:
    """Past due, also where the payment only needs the customer. A first invoice leaves it incomplete."""
    subscription = latest_of(call=call, invoice=invoice)
    if subscription and subscription.status in ("active", "trialing"):
        change(call=call, subscription=subscription, status="past_due")


def voided(*, call: Call, invoice: Invoice) -> None:
    """End the subscription whose first invoice nobody will pay; any other invoice is no longer owed."""
    subscription = latest_of(call=call, invoice=invoice)
    if subscription is None or subscription.status not in OWING:
        return
    if subscription.status == "incomplete":
        change(call=call, subscription=subscription, status="incomplete_expired", ended_at=call.now)
    else:
        change(call=call, subscription=subscription, status=running(call=call, subscription=subscription))
