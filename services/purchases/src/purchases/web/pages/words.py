"""What our problems say to people: what happened, what was charged, what to do next; and what a status is called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chassis.pages import Words
from chassis.problems import Problem
from purchases.ledger.transitions import Status


@dataclass(frozen=True, slots=True)
class Badge:
    """The word says what the colour shows."""

    word: str
    colour: str


BADGES: Final[Mapping[Status, Badge]] = {
    Status.PENDING: Badge("Pending", "yellow"),
    Status.PAID: Badge("Paid", "blue"),
    Status.DELIVERED: Badge("Delivered", "green"),
    Status.FAILED: Badge("Failed", "red"),
    Status.CANCELLED: Badge("Cancelled", "grey"),
    Status.REFUNDED: Badge("Refunded", "purple"),
}
"""What a status is called, and its colour (SPEC §3)."""


NOTHING_CHARGED: Final = "Nothing was charged."

WORDS: Final[Mapping[str, Words]] = {
    "workspace-not-found": Words(
        title="There is no such workspace",
        what="There is nothing at this address, or it is not yours to see.",
        next="Check the address, or sign in as a member of the workspace.",
    ),
    "no-workspace": Words(
        title="You are in no workspace",
        what="This page belongs to a workspace, and none that is known here is yours.",
        next="Ask the owner of your workspace to add you, or sign in as somebody else.",
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
        title="Your workspace has bought this already, or is just buying it",
        what="It was not charged again.",
        next="You find the purchase in the history below.",
    ),
    "settling": Words(
        title="The last attempt is still being closed", what=NOTHING_CHARGED, next="Try again in a second."
    ),
    "payment-method-missing": Words(
        title="Your workspace has no saved card",
        what=NOTHING_CHARGED,
        next="Save a card with Stripe, our payment provider; it brings you back here, and you can buy then. "
        "If you have just saved one, wait a few seconds and try again.",
    ),
    "too-many-declines": Words(
        title="Too many cards were declined",
        what="Nothing was charged, and to keep your cards safe nothing can be bought for some minutes.",
        next="Wait, then try with a card that works.",
    ),
    "too-many-requests": Words(
        title="That was too often", what=NOTHING_CHARGED, next="Wait a minute, then go back and try again."
    ),
    "stripe-unavailable": Words(
        title="Our payment provider does not answer", what=NOTHING_CHARGED, next="Try again in a moment."
    ),
    "recovering": Words(
        title="Nothing is sold at the moment",
        what="Nothing was charged. What was bought before is being read back, so that nobody pays for it twice.",
        next="Try again in a few minutes.",
    ),
    "stripe-refused": Words(
        title="Our payment provider refused this",
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
    "already-subscribed": Words(
        title="Your workspace is subscribed already",
        what="It was not charged again.",
        next="You see below how the subscription stands. It is changed in Stripe's portal.",
    ),
    "checkout-over": Words(
        title="That checkout is over", what=NOTHING_CHARGED, next="What you chose still stands below: send it again."
    ),
    "plan-not-found": Words(
        title="This plan is not sold any more", what=NOTHING_CHARGED, next="Write to us, and we help."
    ),
    "plan-not-sold": Words(
        title="The plan is not sold like this", what=NOTHING_CHARGED, next="Choose another interval or currency below."
    ),
    "plan-not-known": Words(
        title="The plans are just being set up", what="This passes by itself.", next="Try again in a moment."
    ),
    "currency-mismatch": Words(
        title="One of the services is sold in another currency than the plan",
        what=NOTHING_CHARGED,
        next="Leave it out here, and buy it by itself on the Services page.",
    ),
    "not-chosen": Words(next=NOTHING_CHARGED),
    "portal-not-set-up": Words(
        title="Stripe's portal cannot be opened yet",
        what="Our team has to set it up first. Nothing was changed, and nothing was charged.",
        next="Write to us, and we do for you what you wanted to do there.",
    ),
    "payment-in-progress": Words(
        title="The payment is being made just now", what="Nothing was changed.", next="Try again in a moment."
    ),
    "status-changed": Words(
        title="The purchase has changed since you opened this page",
        what="Nothing was cancelled.",
        next="You see below how it stands, and what cancelling means now.",
    ),
    "illegal-transition": Words(
        title="This cannot be done any more",
        next="The purchase has moved on since you opened the page; you see below how it stands.",
    ),
}

BANK_AT_WORK: Final = Words(
    title="Your bank is at work on the payment",
    what="Nothing was changed, and nothing was charged twice.",
    next="A debit takes some days. What comes of it shows here by itself.",
)
"""`payment-in-progress` of a debit: to try again in a moment would be no advice."""
PAID_BEFORE: Final = Words(
    title="The upgrade that you began before is paid",
    what="It was not charged again.",
    next="Your new plan shows below as soon as Stripe has confirmed it.",
)
WHEN_CANCELLING: Final[Mapping[str, Words]] = {
    "already-purchased": Words(
        title="It was paid meanwhile, and is not cancelled",
        what="Its checkout was paid for before it could be ended.",
        next="You find it below, and can still cancel it before it is delivered; our team decides about the money.",
    ),
    "checkout-busy": Words(
        title="Its checkout is being opened or ended just now",
        what="Nothing was cancelled.",
        next="Try again in a few seconds.",
    ),
    "stripe-unavailable": Words(
        title="Our payment provider does not answer", what="Nothing was cancelled.", next="Try again in a moment."
    ),
    "stripe-refused": Words(
        title="Our payment provider refused this",
        what="Nothing was cancelled.",
        next="Our team can see the reason. Try again later, or write to us.",
    ),
    "payment-in-progress": Words(
        title="The payment is being made just now", what="Nothing was cancelled.", next="Try again in a moment."
    ),
}
"""What went wrong with a cancellation: there it is no comfort that nothing was charged, nor always true."""
IN_A_BUNDLE: Final[Mapping[str, Words]] = {
    "already-purchased": Words(
        title="Your workspace has bought one of these services already",
        what=NOTHING_CHARGED,
        next="Below are those that can still be bought along: choose anew.",
    ),
    "addon-not-found": Words(
        title="One of these services does not exist any more", what=NOTHING_CHARGED, next="Choose anew below."
    ),
    "addon-inactive": Words(
        title="One of these services is not sold any more", what=NOTHING_CHARGED, next="Choose anew below."
    ),
    "price-changed": Words(
        title="The price of one of these services has changed",
        what=NOTHING_CHARGED,
        next="The new price is shown below. Choose anew.",
    ),
}
"""Where the plan is bought along with services."""


def words_for(problem: Problem, words: Mapping[str, Words]) -> Words | None:
    """Return what `words` say of a problem here; of a debit that a bank has, everywhere the same."""
    return BANK_AT_WORK if problem.extra.get("waiting_for") == "bank" else words.get(problem.slug)
