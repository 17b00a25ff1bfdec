"""Taking the money for a subscription's invoice, from the card of the subscription, else of the customer."""

from sandbox.stripe import invoicing, payments
from sandbox.stripe.call import Call
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.model import PaymentIntent, PaymentMethod
from sandbox.stripe.subscriptions.model import Subscription


def finalize_and_collect(*, call: Call, invoice: Invoice, paid_by: PaymentIntent | None = None) -> Invoice:
    """Finalise a draft, and collect it: with a payment that was made already (Checkout), or from the saved card."""
    finalized = invoicing.finalize(call=call, invoice=invoice, paid_by=paid_by)
    if paid_by and finalized.status == "open":
        invoicing.follow(call=call, intent=call.account.payment_intents.get(paid_by.id))
        return call.account.invoices.get(invoice.id)
    return collect(call=call, invoice=finalized)


def collect(*, call: Call, invoice: Invoice) -> Invoice:
    """Charge the saved card, the customer being away; does nothing for an invoice that is not owed or is sent."""
    if invoice.status != "open" or invoice.collection_method == "send_invoice":
        return invoice
    method = method_for(call=call, invoice=invoice)
    if method is None:
        invoicing.note_failure(call=call, invoice=invoice, charge=None, waits=False, automatic=True)
        return call.account.invoices.get(invoice.id)
    intent = payments.attempt(
        call=call,
        intent=call.account.payment_intents.get(str(invoice.payment_intent)),
        method=method,
        off_session=True,
        return_url=None,
    )
    invoicing.follow(call=call, intent=intent, automatic=True)
    return call.account.invoices.get(invoice.id)


def method_for(*, call: Call, invoice: Invoice) -> PaymentMethod | None:
    """Return the invoice's own default, the subscription's, the customer's."""
    subscription = call.account.subscriptions.find(invoice.subscription) if invoice.subscription else None
    if subscription and not invoice.default_payment_method:
        return card_for(call=call, subscription=subscription)
    chosen = invoice.default_payment_method or call.account.customers.get(invoice.customer).default_payment_method
    return call.account.payment_methods.find(chosen) if chosen else None


def card_for(*, call: Call, subscription: Subscription) -> PaymentMethod | None:
    """Return the subscription's own default, else the customer's."""
    customer = call.account.customers.get(subscription.customer)
    chosen = subscription.default_payment_method or customer.default_payment_method
    return call.account.payment_methods.find(chosen) if chosen else None
