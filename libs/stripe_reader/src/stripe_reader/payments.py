"""Which payment an invoice shows, and why it failed: what its JSON says; None means that Stripe is asked."""

from collections.abc import Sequence
from typing import Final

from contracts.stripe_facts.words import INVOICE_PAYMENT_STATUSES, PAYMENT_INTENT_STATUSES
from stripe_reader.stripe_json import (
    Json,
    amount,
    entries,
    flag,
    id_of,
    is_whole_list,
    optional_integer,
    part,
    required_id,
    required_word,
    text,
    word,
)
from stripe_reader.value import Value

NEEDS_CUSTOMER: Final = frozenset({"requires_action", "requires_confirmation"})
DECLINED: Final = frozenset({"requires_payment_method", "canceled"})
CHARGED: Final = frozenset({"payment_intent", "charge"})
"""What an invoice is paid with at Stripe; a `payment_record` is money from elsewhere."""


class InvoicePart(Value):
    """One charge that paid an invoice, in whole or in part; `amount_paid` in minor units of the invoice's currency."""

    payment_intent_id: str | None
    charge_id: str | None
    amount_paid: int


class PaidBy(Value):
    """What paid an invoice; minor units of its currency. `contracts.stripe_facts.InvoicePaid` explains each field."""

    paid_by: tuple[InvoicePart, ...]
    paid_by_credit: int | None
    paid_off_stripe: int | None


class PaymentIntent(Value):
    """How far a payment is."""

    payment_intent_id: str
    status: str
    needs_customer: bool | None
    """True: authentication is missing, not money. None: the status is neither that nor a decline."""
    has_failed: bool
    """Its last try failed, whatever came since."""
    failure_code: str | None
    """Stripe's decline code, else its error code. Source: https://docs.stripe.com/declines/codes."""
    action_url: str | None
    """Where the bank wants the buyer."""


class Failure(Value):
    """Why an invoice's payment failed."""

    needs_customer: bool | None
    """True: authentication is missing, not money. None: the object does not say."""
    failure_code: str | None


def read_intent_and_charge(invoice: Json) -> tuple[str | None, str | None]:
    """Return the ids of the one payment that counts; None where none is shown, or several are. Raises UnknownShape.

    `payment_intent` and `charge` up to 2025-02; from basil on in `payments`, which only an expanded invoice carries.
    The charge may also be the latest one of an intent that is expanded.
    """
    payment = _payment(invoice)
    intent = id_of(invoice.get("payment_intent")) or id_of(payment.get("payment_intent"))
    charge = id_of(invoice.get("charge")) or id_of(payment.get("charge"))
    return intent, charge or id_of(_expanded_intent(invoice).get("latest_charge"))


def read_paid_by(invoice: Json) -> PaidBy:
    """Return what paid the invoice, as far as it shows that. Raises UnknownShape."""
    return PaidBy(
        paid_by=read_parts(invoice),
        paid_by_credit=read_paid_by_credit(invoice),
        paid_off_stripe=read_paid_off_stripe(invoice),
    )


def read_parts(invoice: Json) -> tuple[InvoicePart, ...]:
    """Return every charge that paid a part of the invoice; none where not all of them are shown. Raises UnknownShape.

    Source: https://docs.stripe.com/api/invoice-payment/object.
    """
    if not is_whole_list(invoice, "payments"):
        return ()
    payments = entries(invoice, "payments")
    paid = [
        payment for payment in payments if required_word(payment, "status", known=INVOICE_PAYMENT_STATUSES) == "paid"
    ]
    return tuple([_part(payment) for payment in paid if part(payment, "payment").get("type") in CHARGED])


def read_paid_by_credit(invoice: Json) -> int | None:
    """Return what the customer's credit balance paid, in minor units; None where it is not said. Raises UnknownShape.

    So much less credit (a negative balance) is left behind the invoice; none where the customer owed something.
    Source: https://docs.stripe.com/billing/customer/balance.
    """
    before, after = optional_integer(invoice, "starting_balance"), optional_integer(invoice, "ending_balance")
    return None if before is None or after is None else max(0, after - before)


def read_paid_off_stripe(invoice: Json) -> int | None:
    """Return what was paid outside of Stripe, in minor units; None where it is not said. Raises UnknownShape.

    Up to 2025-02 `paid_out_of_band` says that all of it was, and `amount_paid` leaves it out. From basil on
    `amount_paid` holds it, and `amount_paid_off_stripe` says how much; no event carries that. Where all payments are
    shown, it is what they leave of `amount_paid`.
    Source: https://docs.stripe.com/changelog/dahlia/2026-05-27/invoice-object-amount-paid-off-stripe-property.
    """
    if invoice.get("amount_paid_off_stripe") is not None:
        return amount(invoice, "amount_paid_off_stripe")
    if "paid_out_of_band" in invoice:
        return amount(invoice, "amount_due") if flag(invoice, "paid_out_of_band") else 0
    if not is_whole_list(invoice, "payments"):
        return None
    return max(0, amount(invoice, "amount_paid") - sum([paid.amount_paid for paid in read_parts(invoice)]))


def read_failure(invoice: Json) -> Failure:
    """Return why it is not paid; (None, None) where no intent is expanded. Raises UnknownShape.

    `failure_code` is Stripe's decline code, else its error code. Source: https://docs.stripe.com/declines/codes.
    """
    intent = _expanded_intent(invoice)
    error = part(intent, "last_payment_error")
    code = text(error, "decline_code") or text(error, "code") or text(part(invoice, "charge"), "failure_code")
    status = word(intent, "status", known=PAYMENT_INTENT_STATUSES)
    asks = needs_customer(status=status, error_code=text(error, "code"))
    return Failure(needs_customer=asks, failure_code=code)


def read_action_url(invoice: Json) -> str | None:
    """Return where the bank wants the buyer, where the intent is expanded. Raises UnknownShape.

    Source: https://docs.stripe.com/api/payment_intents/object (`next_action`).
    """
    return text(part(_expanded_intent(invoice), "next_action", "redirect_to_url"), "url")


def read_open_intents(invoice: Json) -> tuple[PaymentIntent, ...]:
    """Return the intents by which an invoice may still be paid, as far as they are expanded. Raises UnknownShape.

    Since 2025-05-28.basil several may be open at once: whether money is on its way, each of them can say.
    """
    payments = entries(invoice, "payments")
    still_open = [payment for payment in payments if word(payment, "status", known=INVOICE_PAYMENT_STATUSES) == "open"]
    intents = [part(payment, "payment", "payment_intent") for payment in still_open or payments]
    return tuple([read_payment_intent(intent) for intent in (part(invoice, "payment_intent"), *intents) if intent])


def read_payment_intent(intent: Json) -> PaymentIntent:
    """Return how far a payment is. Raises UnknownShape. Source: https://docs.stripe.com/api/payment_intents/object."""
    error = part(intent, "last_payment_error")
    status = required_word(intent, "status", known=PAYMENT_INTENT_STATUSES)
    return PaymentIntent(
        payment_intent_id=required_id(intent, "id"),
        status=status,
        needs_customer=needs_customer(status=status, error_code=text(error, "code")),
        has_failed=bool(error),
        failure_code=text(error, "decline_code") or text(error, "code"),
        action_url=text(part(intent, "next_action", "redirect_to_url"), "url"),
    )


def needs_customer(*, status: str | None, error_code: str | None) -> bool | None:
    """Return whether a payment intent waits for its customer, and not for money or another card.

    `requires_payment_method` with `authentication_required` is what an off-session attempt leaves behind. Every other
    status (processing, succeeded, …) is no answer: None. Source: https://docs.stripe.com/payments/paymentintents/lifecycle.
    """
    if status in NEEDS_CUSTOMER or (status == "requires_payment_method" and error_code == "authentication_required"):
        return True
    return False if status in DECLINED else None


def _part(payment: Json) -> InvoicePart:
    paid = part(payment, "payment")
    return InvoicePart(
        payment_intent_id=id_of(paid.get("payment_intent")),
        charge_id=id_of(paid.get("charge")) or id_of(part(paid, "payment_intent").get("latest_charge")),
        amount_paid=amount(payment, "amount_paid"),
    )


def _expanded_intent(invoice: Json) -> Json:
    return part(invoice, "payment_intent") or part(_payment(invoice), "payment_intent")


def _payment(invoice: Json) -> Json:
    """Return the payment that counts among `payments`: the paid one, else the default one, else the only one."""
    payments = entries(invoice, "payments")
    return part(_chosen(payments), "payment") if payments else {}


def _chosen(payments: Sequence[Json]) -> Json:
    paid = [payment for payment in payments if payment.get("status") == "paid"]
    default = [payment for payment in payments if payment.get("is_default") is True]
    for chosen in (paid, default, payments):
        if len(chosen) == 1:
            return chosen[0]
    return {}
