"""DECLINES: what a bank's word means for the person whose card it is. Source: docs.stripe.com/declines/codes."""

from collections.abc import Mapping
from typing import Final

ANY: Final = "The bank did not say why."
DECLINES: Final[Mapping[str, str]] = {
    "insufficient_funds": "There is not enough money on the card.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code is wrong.",
    "incorrect_number": "The card's number is wrong.",
    "processing_error": "The bank could not process it just now.",
    "card_velocity_exceeded": "The card's limit is reached.",
    "withdrawal_count_limit_exceeded": "The card's limit is reached.",
    "card_not_supported": "The card cannot be used for this.",
    "currency_not_supported": "The card does not take this currency.",
    "authentication_required": "The bank wants the payment to be confirmed, and it was not.",
    "payment_intent_authentication_failure": "The payment was not confirmed at the bank.",
}


def why_declined(code: str | None) -> str:
    """Return why, and never more than the bank says to everyone: a stolen card's holder is not warned."""
    return DECLINES.get(code or "", ANY)
