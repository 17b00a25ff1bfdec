"""The problems that people meet with a purchase, wherever it is raised."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from chassis.recovery import epochs
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import HOLDS_SLOT, Status


def purchase_not_found() -> Problem:
    return Problem(404, "purchase-not-found", "There is no such purchase")


def key_reused() -> Problem:
    return Problem(
        422, "idempotency-key-reused", "This Idempotency-Key was used with another body", "Nothing was done."
    )


async def refuse_while_recovering(session: AsyncSession) -> None:
    """Raise Problem 503 where the ledger is a restored copy: what was bought before may be missing in it."""
    if await epochs.is_recovering(session):
        raise recovering()


def recovering() -> Problem:
    """Return a 503: it ends by itself once Kafka's facts and Stripe's objects are read back."""
    return Problem(
        503,
        "recovering",
        "Nothing is sold at the moment",
        "Nothing was charged. Earlier purchases are being read back; the same request succeeds afterwards.",
        retry_after=30,
    )


def payment_in_progress() -> Problem:
    """Return what meets who comes while a buying request is at work on the row; its lease ends in seconds."""
    return Problem(
        409,
        "payment-in-progress",
        "The payment is being made just now",
        "Nothing was changed. Try again in a moment.",
        retry_after=2,
    )


def bank_at_work() -> Problem:
    """Return what meets who wants to end a debit that the bank has: it can neither be cancelled nor hurried."""
    return Problem(
        409,
        "payment-in-progress",
        "The bank is at work on the payment",
        "Nothing was changed. A debit takes some days; what comes of it is shown as soon as the bank has said so.",
        retry_after=3600,
        waiting_for="bank",
    )


def status_changed(status: Status) -> Problem:
    """Return what meets who decided about another status than the purchase has."""
    return Problem(
        409,
        "status-changed",
        "The purchase is in another status than expected",
        "Nothing was changed.",
        purchase_status=status.value,
    )


def refusal_for(holder: Purchase) -> Problem:
    """Return what buying an add-on meets whose place `holder` has: bought, or its last attempt not closed yet."""
    return already_purchased(holder) if holder.status in HOLDS_SLOT else settling(holder)


def already_purchased(holder: Purchase) -> Problem:
    return Problem(
        409,
        "already-purchased",
        "This add-on was bought already",
        "Nothing was charged.",
        purchase_id=str(holder.id),
        purchase_status=holder.status.value,
    )


def settling(holder: Purchase) -> Problem:
    """Return what meets who buys while a failed attempt is being closed at Stripe, normally under a second."""
    return Problem(
        409,
        "settling",
        "The last attempt is still being closed",
        "Nothing was charged. Try again in a second.",
        retry_after=1,
        purchase_id=str(holder.id),
    )
