"""What our problems say to people: what happened, what was charged, what to do next. By the problem's slug."""

from collections.abc import Mapping
from typing import Final

from chassis.pages import Words

NOTHING_CHARGED: Final = "Nothing was charged."

WORDS: Final[Mapping[str, Words]] = {
    "workspace-not-found": Words(
        title="There is no such workspace",
        what="There is nothing at this address, or it is not yours to see.",
        next="Check the address, or sign in as a member of the workspace.",
    ),
    "purchase-not-found": Words(next="Go back to the list, and choose one of its entries."),
    "addon-not-found": Words(
        title="This service does not exist any more", what=NOTHING_CHARGED, next="Choose one of those below."
    ),
    "addon-inactive": Words(
        title="This service is not sold any more", what=NOTHING_CHARGED, next="Choose one of those below."
    ),
    "price-changed": Words(
        title="The price has changed since you opened this page",
        what=NOTHING_CHARGED,
        next="The new price is shown below. Buy it at that price, or leave it.",
    ),
    "already-purchased": Words(
        title="Your workspace has bought this already",
        what="It was not charged again.",
        next="You find the purchase in the history below.",
    ),
    "settling": Words(
        title="The last attempt is still being closed", what=NOTHING_CHARGED, next="Try again in a second."
    ),
    "payment-method-missing": Words(
        title="Your workspace has no saved card",
        what=NOTHING_CHARGED,
        next="Save a card with Stripe, our payment provider; it brings you back here, and you can buy then.",
    ),
    "too-many-declines": Words(
        title="Too many cards were declined",
        what="Nothing was charged, and to keep your cards safe nothing can be bought for some minutes.",
        next="Wait, then try with a card that works.",
    ),
    "stripe-unavailable": Words(
        title="Our payment provider does not answer", what=NOTHING_CHARGED, next="Try again in a moment."
    ),
    "stripe-refused": Words(
        title="Our payment provider refused the payment",
        what=NOTHING_CHARGED,
        next="Our team can see the reason. Try again later, or write to us.",
    ),
    "idempotency-key-reused": Words(
        title="This form was sent before, with something else in it",
        what=NOTHING_CHARGED,
        next="Use the buttons below.",
    ),
    "checkout-busy": Words(
        title="Another checkout of your workspace is still open",
        what=NOTHING_CHARGED,
        next="Try again in a few seconds.",
    ),
    "payment-in-progress": Words(
        title="The payment is being made just now", what="Nothing was changed.", next="Try again in a moment."
    ),
    "illegal-transition": Words(
        title="This cannot be done any more",
        next="The purchase has moved on since you opened the page; you see below how it stands.",
    ),
}
