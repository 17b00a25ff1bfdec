"""Invoice payment events: since 2025-03-31.basil the only place that joins an invoice to its payment intent."""

from contracts.stripe_facts import InvoicePaymentLinked
from webhook_gateway.presence import amount, currency_of, id_of, part, required_id
from webhook_gateway.stripe_event import StripeEvent, metadata_of, origin
from webhook_gateway.told import Told, tell


def invoice_payment_paid(event: StripeEvent) -> Told:
    """`invoice_payment.paid`. Source: https://docs.stripe.com/api/invoice-payment/object."""
    linked = event.object
    payment = part(linked, "payment")
    fields = origin(event, elsewhere=lambda: [metadata_of(part(linked, "invoice"))])
    fields["customer_id"] = fields["customer_id"] or id_of(part(linked, "invoice").get("customer"))
    return tell(
        InvoicePaymentLinked,
        **fields,
        invoice_payment_id=required_id(linked, "id"),
        invoice_id=required_id(linked, "invoice"),
        payment_intent_id=id_of(payment.get("payment_intent")),
        charge_id=id_of(payment.get("charge")),
        amount_paid=None if linked.get("amount_paid") is None else amount(linked, "amount_paid"),
        currency=currency_of(linked),
    )
