"""What a subscription would be billed next (https://docs.stripe.com/api/invoices/create_preview); nothing is stored."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.subscriptions import bills, renewing
from sandbox.stripe.subscriptions.model import Subscription

BILLED = ("active", "past_due", "trialing", "unpaid")


def upcoming(*, call: Call, subscription: Subscription) -> Invoice:
    """Return the invoice of the next period, as things stand. Raises invoice_upcoming_none where none will be made."""
    ends = subscription.cancel_at is not None and subscription.cancel_at <= subscription.period_end
    pending = bills.pending(call=call, subscription=subscription)
    if subscription.status not in BILLED or (ends and not pending):
        message = f"No upcoming invoices for customer: {subscription.customer}"
        raise Refusal(message, status=404, code="invoice_upcoming_none")
    moved = renewing.next_period(subscription)
    bill = bills.bill(
        call=call,
        subscription=moved,
        reason="upcoming",
        charged=() if ends else moved.items,
        items=pending,
        period=(subscription.period_start, subscription.period_end),
    )
    return _shown(call=call, subscription=subscription, invoice=bill.invoice)


def _shown(*, call: Call, subscription: Subscription, invoice: Invoice) -> Invoice:
    id_ = new_id(prefix="upcoming_in")
    balance = call.account.customers.get(subscription.customer).balance
    collected = subscription.period_end + call.account.settings.draft_seconds
    automatic = subscription.collection_method == "charge_automatically"
    return replace(
        invoice,
        id=id_,
        created=subscription.period_end,
        lines=tuple(replace(line, invoice=id_) for line in invoice.lines),
        amount_due=max(invoice.total + balance, 0),
        starting_balance=balance,
        next_payment_attempt=collected if automatic else None,
    )
