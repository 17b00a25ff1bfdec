"""Stripe's test cards (https://docs.stripe.com/testing), by the name behind `pm_card_` and `tok_`; and bank debits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """How an issuer says no: `code` of the error, and `decline_code` where the code is `card_declined`."""

    code: str
    message: str
    decline_code: str | None = None


GENERIC: Final = Decline(code="card_declined", decline_code="generic_decline", message="Your card was declined.")
INSUFFICIENT: Final = Decline(
    code="card_declined", decline_code="insufficient_funds", message="Your card has insufficient funds."
)
LOST: Final = Decline(code="card_declined", decline_code="lost_card", message="Your card was declined.")
STOLEN: Final = Decline(code="card_declined", decline_code="stolen_card", message="Your card was declined.")
FRAUD: Final = Decline(code="card_declined", decline_code="fraudulent", message="Your card was declined.")
EXPIRED: Final = Decline(code="expired_card", decline_code="expired_card", message="Your card has expired.")
CVC: Final = Decline(
    code="incorrect_cvc", decline_code="incorrect_cvc", message="Your card's security code is incorrect."
)
PROCESSING: Final = Decline(
    code="processing_error",
    decline_code="processing_error",
    message="An error occurred while processing your card. Try again in a little bit.",
)
NO_FUNDS: Final = Decline(
    code="insufficient_funds", message="The customer's account has insufficient funds to cover this payment."
)
"""Of a bank debit (https://docs.stripe.com/payments/sepa-debit, failed payments)."""
AUTHENTICATION: Final = Decline(
    code="authentication_required",
    decline_code="authentication_required",
    message="Your card was declined. This transaction requires authentication.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a test card does.

    `refund` is the status that its refunds end in; None means at once `succeeded`. `consent`: once it was saved with
    its holder's consent (Checkout in setup mode), its bank no longer wants to see him. `dispute` is the reason for
    which each of its payments is disputed at once, `inquiry` says that the bank only asks. `debit`: no card but a bank
    account (SEPA), whose payments are `processing` until the control API gives the bank's word.
    """

    brand: str = "visa"
    last4: str
    funding: str = "credit"
    country: str = "US"
    attach: Decline | None = None
    charge: Decline | None = None
    authenticate: bool = False
    consent: bool = False
    refund: str | None = None
    dispute: str | None = None
    inquiry: bool = False
    debit: bool = False


CARDS: Final[Mapping[str, Card]] = {
    "visa": Card(last4="4242"),
    "visa_debit": Card(last4="5556", funding="debit"),
    "mastercard": Card(brand="mastercard", last4="4444"),
    "mastercard_debit": Card(brand="mastercard", last4="3222", funding="debit"),
    "amex": Card(brand="amex", last4="0005"),
    "discover": Card(brand="discover", last4="1117"),
    "fr": Card(last4="0003", country="FR"),
    "de": Card(last4="0016", country="DE"),
    "chargeCustomerFail": Card(last4="0341", charge=GENERIC),
    "authenticationRequired": Card(last4="3184", authenticate=True),
    "authenticationRequiredOnSetup": Card(last4="3155", authenticate=True, consent=True),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(last4="8260", authenticate=True, charge=INSUFFICIENT),
    "threeDSecure2Required": Card(last4="3220", authenticate=True),
    "threeDSecureRequired": Card(last4="3063", authenticate=True),
    "threeDSecureRequiredChargeDeclined": Card(last4="1629", authenticate=True, charge=GENERIC),
    "threeDSecureOptional": Card(last4="3055"),
    "chargeDeclined": Card(last4="0002", attach=GENERIC, charge=GENERIC),
    "chargeDeclinedInsufficientFunds": Card(last4="9995", attach=INSUFFICIENT, charge=INSUFFICIENT),
    "chargeDeclinedLostCard": Card(last4="9987", attach=LOST, charge=LOST),
    "chargeDeclinedStolenCard": Card(last4="9979", attach=STOLEN, charge=STOLEN),
    "chargeDeclinedFraudulent": Card(last4="0019", attach=FRAUD, charge=FRAUD),
    "chargeDeclinedExpiredCard": Card(last4="0069", attach=EXPIRED, charge=EXPIRED),
    "chargeDeclinedIncorrectCvc": Card(last4="0127", attach=CVC, charge=CVC),
    "chargeDeclinedProcessingError": Card(last4="0119", attach=PROCESSING, charge=PROCESSING),
    "refundFail": Card(last4="5126", refund="failed"),
    "pendingRefund": Card(last4="7726", refund="succeeded"),
    "createDispute": Card(last4="0259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card(last4="2685", dispute="product_not_received"),
    "createDisputeInquiry": Card(last4="1976", dispute="fraudulent", inquiry=True),
    "sepaDebit": Card(last4="3201", country="AT", debit=True),
}

NUMBERS: Final[Mapping[str, str]] = {
    "4242424242424242": "visa",
    "5555555555554444": "mastercard",
    "4000002760003184": "authenticationRequired",
    "4000000000003220": "threeDSecure2Required",
    "4000000000000341": "chargeCustomerFail",
    "4000000000000002": "chargeDeclined",
    "4000000000009995": "chargeDeclinedInsufficientFunds",
    "4000000000005126": "refundFail",
    "4000000000007726": "pendingRefund",
    "4000000000000259": "createDispute",
}

IBANS: Final[Mapping[str, str]] = {"AT611904300234573201": "sepaDebit"}
"""Stripe's test account for SEPA debits (https://docs.stripe.com/payments/sepa-debit/accept-a-payment, testing)."""


def card_named(name: str) -> str | None:
    """Find the row for `pm_card_…` or `tok_…`; Stripe spells some with `visa_` in front."""
    for prefix in ("pm_card_", "tok_"):
        if name.startswith(prefix):
            plain = name.removeprefix(prefix)
            return next((row for row in (plain, plain.removeprefix("visa_")) if row in CARDS), None)
    return None
