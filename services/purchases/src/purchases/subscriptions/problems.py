"""The problems of subscriptions."""

from chassis.problems import Problem


def already_subscribed() -> Problem:
    return Problem(
        409,
        "already-subscribed",
        "This workspace has a subscription",
        "Nothing was charged. It is changed in the customer portal.",
    )


def checkout_busy() -> Problem:
    """Return a 409: another Checkout is being opened or ended, and Stripe has not said how that went."""
    return Problem(
        409,
        "checkout-busy",
        "Another Checkout is still open",
        "Nothing was charged here. Try again in a few seconds.",
        retry_after=3,
    )
