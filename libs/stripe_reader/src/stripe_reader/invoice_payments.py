"""Invoice payments: since 2025-03-31.basil the only place that joins an invoice to its payment intent."""

from stripe_reader.origin import StripeObject, metadata_of, read_origin
from stripe_reader.stripe_json import Json, amount, currency_of, id_of, part, required_id


class InvoicePayment(StripeObject):
    """Which intent or charge paid which invoice; `amount_paid` in minor units of `currency`."""

    invoice_payment_id: str
    invoice_id: str
    payment_intent_id: str | None
    charge_id: str | None
    amount_paid: int | None
    currency: str


def read_invoice_payment(linked: Json) -> InvoicePayment:
    """Return what an invoice payment says. Raises UnknownShape.

    Source: https://docs.stripe.com/api/invoice-payment/object.
    """
    payment, invoice = part(linked, "payment"), part(linked, "invoice")
    return InvoicePayment(
        **read_origin(linked, elsewhere=lambda: [metadata_of(invoice)], payers=[invoice]),
        invoice_payment_id=required_id(linked, "id"),
        invoice_id=required_id(linked, "invoice"),
        payment_intent_id=id_of(payment.get("payment_intent")),
        charge_id=id_of(payment.get("charge")),
        amount_paid=None if linked.get("amount_paid") is None else amount(linked, "amount_paid"),
        currency=currency_of(linked),
    )
