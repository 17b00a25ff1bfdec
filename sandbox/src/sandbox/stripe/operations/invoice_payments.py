"""Invoice payments (https://docs.stripe.com/api/invoice-payment): which intent pays which invoice, since basil."""

from sandbox.stripe.call import Call
from sandbox.stripe.invoice_model import InvoicePayment
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.model import Json


def retrieve(call: Call) -> InvoicePayment:
    return call.account.invoice_payments.get(call.id)


def list_(call: Call) -> Json:
    """List by `invoice`, by `payment[type]` with `payment[payment_intent]`, by status."""
    params = call.params
    intent = _intent_of(call)
    status = params.choice("status", among=("canceled", "open", "paid"))
    account = call.account
    things = filtered(held=account.invoice_payments, call=call, by="invoice", known=account.invoices)
    kept = (one for one in things if intent in (None, one.payment_intent) and status in (None, one.status))
    return page(call=call, things=kept, url="/v1/invoice_payments")


def _intent_of(call: Call) -> str | None:
    payment = call.params.nested("payment")
    if not call.params.has("payment"):
        return None
    payment.required("type")
    payment.choice("type", among=("payment_intent", "charge", "payment_record"))
    return payment.required("payment_intent")
