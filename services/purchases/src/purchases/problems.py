"""Problems that several modules raise; every other one stands beside what raises it."""

from chassis.problems import Problem
from purchases.domain.transitions import Status
from purchases.store.rows import Addon


def workspace_not_found() -> Problem:
    """404 also for what is not yours: nobody learns which workspaces exist."""
    return Problem(404, "workspace-not-found", "There is no such workspace")


def purchase_not_found() -> Problem:
    return Problem(404, "purchase-not-found", "There is no such purchase")


def price_changed(addon: Addon) -> Problem:
    """The price that the buyer saw is not the one it is sold at."""
    return Problem(
        409,
        "price-changed",
        "The price has changed",
        "Nothing was charged. Show the new price and ask again.",
        price_cents=addon.price_cents,
        currency=addon.currency,
    )


def already_subscribed() -> Problem:
    return Problem(
        409,
        "already-subscribed",
        "This workspace has a subscription",
        "Nothing was charged. It is changed in the customer portal.",
    )


def checkout_busy() -> Problem:
    """Another Checkout is being opened or ended, and Stripe has not said how that went."""
    return Problem(
        409,
        "checkout-busy",
        "Another Checkout is still open",
        "Nothing was charged here. Try again in a few seconds.",
        headers={"Retry-After": "3"},
    )


def key_reused() -> Problem:
    return Problem(
        422, "idempotency-key-reused", "This Idempotency-Key was used with another body", "Nothing was done."
    )


def payment_in_progress() -> Problem:
    """A buying request is at work on the row; it ends in seconds, or its lease does."""
    return Problem(
        409,
        "payment-in-progress",
        "The payment is being made just now",
        "Nothing was changed. Try again in a moment.",
        headers={"Retry-After": "2"},
    )


def bank_at_work() -> Problem:
    """A debit that the bank has can neither be cancelled nor hurried; nothing else is done about it meanwhile."""
    return Problem(
        409,
        "payment-in-progress",
        "The bank is at work on the payment",
        "Nothing was changed. A debit takes some days; what comes of it is shown as soon as the bank has said so.",
        headers={"Retry-After": "3600"},
        waiting_for="bank",
    )


def status_changed(status: Status) -> Problem:
    """It is not what somebody saw who decided about it."""
    return Problem(
        409,
        "status-changed",
        "The purchase is in another status than expected",
        "Nothing was changed.",
        purchase_status=status.value,
    )


def too_many_requests(*, seconds: int) -> Problem:
    """The workspace, or the person, has used up what it may ask of Stripe."""
    return Problem(
        429,
        "too-many-requests",
        "Too many requests to the payment provider",
        "Nothing was charged. Try again later.",
        headers={"Retry-After": str(seconds)},
    )
