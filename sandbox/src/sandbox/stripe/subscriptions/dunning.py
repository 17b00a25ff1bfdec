"""Retries of a payment that failed, and what follows the last one (https://docs.stripe.com/billing/revenue-recovery)."""

from sandbox.stripe.call import Call
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.subscriptions import ending
from sandbox.stripe.subscriptions.states import change, latest_of

ENDS = ("cancel", "unpaid", "past_due")


def next_attempt(*, call: Call, invoice: Invoice) -> int | None:
    """When an invoice that just failed for the `attempt_count`-th time is tried again; a first invoice never is."""
    schedule = call.account.settings.dunning_schedule
    if not is_dunned(invoice) or invoice.attempt_count > len(schedule):
        return None
    return call.now + schedule[invoice.attempt_count - 1]


def give_up(*, call: Call, invoice: Invoice) -> None:
    """End the subscription after the last retry as `dunning_end` of the settings says."""
    subscription = latest_of(call=call, invoice=invoice)
    end = call.account.settings.dunning_end
    if end not in ENDS:
        raise Refusal(f"No such dunning_end: {end}. There are: {', '.join(ENDS)}")
    if subscription is None or not is_dunned(invoice):
        return
    if end == "cancel":
        ending.cancel(call=call, subscription=subscription, reason="payment_failed")
    elif end == "unpaid":
        change(call=call, subscription=subscription, status="unpaid")


def is_dunned(invoice: Invoice) -> bool:
    """Return whether it is collected by itself: a renewal's or an update's invoice, while `auto_advance` is set."""
    return invoice.auto_advance and invoice.billing_reason in ("subscription_cycle", "subscription_update")
