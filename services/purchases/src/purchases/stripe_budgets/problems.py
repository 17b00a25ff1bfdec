"""The problem of calling Stripe too often."""

from chassis.problems import Problem


def too_many_requests(*, seconds: int) -> Problem:
    """Return a 429: the workspace, or the person, has used up its calls to Stripe."""
    return Problem(
        429,
        "too-many-requests",
        "Too many requests to the payment provider",
        "Nothing was charged. Try again later.",
        retry_after=seconds,
    )
