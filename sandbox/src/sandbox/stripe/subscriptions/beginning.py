"""How a subscription begins: stored, billed for its first period, and active once that is paid."""

from collections.abc import Sequence
from dataclasses import replace

from sandbox.stripe import invoicing
from sandbox.stripe.call import Call
from sandbox.stripe.invoice_model import InvoiceItem
from sandbox.stripe.model import Customer, PaymentIntent
from sandbox.stripe.subscriptions import bills, collecting
from sandbox.stripe.subscriptions.bills import Bill
from sandbox.stripe.subscriptions.model import Subscription

EXPIRES_AFTER = 23 * 3600
"""Seconds after which an incomplete subscription whose first invoice is still not paid is over."""


def first_bill(
    *, call: Call, subscription: Subscription, customer: Customer, items: Sequence[InvoiceItem] = ()
) -> Bill:
    """Return the first invoice: one for everything, the items of the subscription and those that are bought once."""
    return bills.bill(
        call=call,
        subscription=subscription,
        customer=customer,
        reason="subscription_create",
        charged=subscription.items,
        items=items,
    )


def begin(
    *,
    call: Call,
    subscription: Subscription,
    bill: Bill,
    paid_by: PaymentIntent | None = None,
    attempt: bool = True,
) -> Subscription:
    """Store, tell, bill, collect. Without `attempt` the first payment is left to the caller's front-end."""
    begun = call.save(replace(subscription, latest_invoice=bill.invoice.id))
    call.emit("customer.subscription.created", begun)
    invoice = bills.store(call=call, bill=bill)
    if begun.collection_method == "send_invoice":
        call.save(replace(invoice, finalizes_at=call.now + call.account.settings.draft_seconds))
    elif attempt:
        collecting.finalize_and_collect(call=call, invoice=invoice, paid_by=paid_by)
    else:
        invoicing.finalize(call=call, invoice=invoice)
    return call.account.subscriptions.get(begun.id)
