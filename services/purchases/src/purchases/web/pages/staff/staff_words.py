"""What problems say to platform staff, who know the ledger; the rest they read as everybody does."""

from collections.abc import Mapping
from typing import Final

from chassis.pages import Words
from chassis.pages.problems_for_people import for_people
from chassis.problems import Problem
from purchases.web.pages.words import WORDS, words_for

NOTHING_MOVED: Final = "Nothing was changed, and no money moved."
SEE_BELOW: Final = "You see below how it stands now."

STAFF_WORDS: Final[Mapping[str, Words]] = {
    "illegal-transition": Words(title="This cannot be done to the purchase now", next=SEE_BELOW),
    "status-changed": Words(
        title="The purchase has changed since you opened this page",
        what=NOTHING_MOVED,
        next="You see below how it stands, and what cancelling means now.",
    ),
    "nothing-paid": Words(what=NOTHING_MOVED, next=SEE_BELOW),
    "already-refunded": Words(next=SEE_BELOW),
    "paid-outside-stripe": Words(what=NOTHING_MOVED, next="Return it the way it came: Stripe never had the money."),
    "refund-too-large": Words(what=NOTHING_MOVED, next="Give a smaller amount."),
    "idempotency-key-reused": Words(
        title="This form was sent before, with something else in it",
        what="The first refund stands; this one was not made.",
        next="Look at the purchase, and begin another refund if there is to be one.",
    ),
    "payment-in-progress": Words(
        title="The payment is being made just now", what=NOTHING_MOVED, next="Try again in a moment."
    ),
    "checkout-busy": Words(
        title="Its checkout is being opened or ended just now", what=NOTHING_MOVED, next="Try again in a few seconds."
    ),
    "already-purchased": Words(
        title="Its checkout was paid meanwhile", what="It was not cancelled.", next="Look at the purchase again."
    ),
    "stripe-refused": Words(
        title="Stripe refused the request",
        what=NOTHING_MOVED,
        next="What it says stands under Set aside, Refused by Stripe.",
    ),
    "stripe-unavailable": Words(title="Stripe does not answer", what=NOTHING_MOVED, next="Try again in a moment."),
    "period-empty": Words(next="Give an end that is later than the beginning."),
    "invalid-cursor": Words(title="There is no such part of the list", what="", next="Begin at the top of the list."),
    "parked-not-found": Words(next="Go back to the list, and choose one of its entries."),
    "not-parked": Words(
        title="This is not set aside any more", what="It was applied or discarded meanwhile.", next=SEE_BELOW
    ),
    "decided-meanwhile": Words(
        title="Something was decided about this since you opened the page",
        what="Nothing of yours was done.",
        next="You see below what was decided, and how it stands now; decide then.",
    ),
    "not-allocatable": Words(next="Try it again, or discard it with a reason."),
    "paid-otherwise": Words(
        title="Another charge paid for this purchase",
        what="The refund is not of its money. Nothing was changed.",
        next="Choose a purchase that the charge paid for.",
    ),
}


def words_for_staff(problem: Problem) -> Words:
    """Return what the problem says to staff, for a page that shows it itself."""
    return words_for(problem, {}) or for_people(problem, {**WORDS, **STAFF_WORDS}, method="POST")
