"""Which payment an invoice shows, and why it failed: what the payload can tell; None means that Stripe is asked."""

from collections.abc import Sequence
from typing import Any, Final

from contracts.stripe_facts.words import INVOICE_PAYMENT_STATUSES, PAYMENT_INTENT_STATUSES
from webhook_gateway.presence import Json, amount, entries, id_of, is_whole_list, part, required_word, text, word

NEEDS_CUSTOMER: Final = frozenset({"requires_action", "requires_confirmation"})
DECLINED: Final = frozenset({"requires_payment_method", "canceled"})


def intent_and_charge(invoice: Json) -> tuple[str | None, str | None]:
    """`payment_intent` and `charge` up to 2025-02; from basil on in `payments`, which only an expanded invoice carries.

    The charge may also be the latest one of an intent that is expanded.
    """
    payment = _payment(invoice)
    intent = id_of(invoice.get("payment_intent")) or id_of(payment.get("payment_intent"))
    charge = id_of(invoice.get("charge")) or id_of(payment.get("charge"))
    return intent, charge or id_of(expanded_intent(invoice).get("latest_charge"))


def paid_parts(invoice: Json) -> list[dict[str, Any]]:
    """Every payment that paid a part of the invoice; empty where the payload does not show all of them.

    Source: https://docs.stripe.com/api/invoice-payment/object.
    """
    if not is_whole_list(invoice, "payments"):
        return []
    payments = entries(invoice, "payments")
    paid = [one for one in payments if required_word(one, "status", known=INVOICE_PAYMENT_STATUSES) == "paid"]
    return [part_of(one) for one in paid if part(one, "payment").get("type") in {"payment_intent", "charge"}]


def part_of(payment: Json) -> dict[str, Any]:
    """One `InvoicePart`; the charge may also be the latest one of an intent that is expanded."""
    paid = part(payment, "payment")
    charge = id_of(paid.get("charge")) or id_of(part(paid, "payment_intent").get("latest_charge"))
    return {
        "payment_intent_id": id_of(paid.get("payment_intent")),
        "charge_id": charge,
        "amount_paid": amount(payment, "amount_paid"),
    }


def redirect_url(invoice: Json) -> str | None:
    """Where the bank wants the buyer. Source: https://docs.stripe.com/api/payment_intents/object (`next_action`)."""
    return text(part(expanded_intent(invoice), "next_action", "redirect_to_url"), "url")


def why_it_failed(invoice: Json) -> tuple[bool | None, str | None]:
    """Whether only the customer is missing, and Stripe's code; (None, None) where no intent is expanded."""
    intent = expanded_intent(invoice)
    error = part(intent, "last_payment_error")
    code = text(error, "decline_code") or text(error, "code") or text(part(invoice, "charge"), "failure_code")
    status = word(intent, "status", known=PAYMENT_INTENT_STATUSES)
    return _needs_customer(status=status, code=text(error, "code")), code


def expanded_intent(invoice: Json) -> Json:
    """The payment intent where it is expanded, else an empty object."""
    return part(invoice, "payment_intent") or part(_payment(invoice), "payment_intent")


def _needs_customer(*, status: str | None, code: str | None) -> bool | None:
    """Every other status (processing, succeeded, ...) is no answer to this event: Stripe is asked."""
    if status in NEEDS_CUSTOMER or (status == "requires_payment_method" and code == "authentication_required"):
        return True
    return False if status in DECLINED else None


def _payment(invoice: Json) -> Json:
    """The payment that counts among `payments`: the paid one, else the default one, else the only one."""
    payments = entries(invoice, "payments")
    return part(_chosen(payments), "payment") if payments else {}


def _chosen(payments: Sequence[Json]) -> Json:
    paid = [payment for payment in payments if payment.get("status") == "paid"]
    default = [payment for payment in payments if payment.get("is_default") is True]
    for chosen in (paid, default, payments):
        if len(chosen) == 1:
            return chosen[0]
    return {}
