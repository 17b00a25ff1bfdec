"""The only place where a purchase changes: its status with history and fact, what it waits for, why it failed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.appended import append
from chassis.database.database import call_after_commit
from purchases.ledger.publish import FACTS, Cause, announce
from purchases.ledger.rows import HISTORY, WAITING_FOR_BANK, Purchase
from purchases.ledger.transitions import TRANSITIONS, Refused, Status, Step, Trigger, decide

STAMPS: Final[Mapping[Status, str]] = {
    Status.PAID: "paid_at",
    Status.DELIVERED: "delivered_at",
    Status.FAILED: "failed_at",
    Status.CANCELLED: "cancelled_at",
    Status.REFUNDED: "refunded_at",
}

MOVES: Final = Counter(
    "billing_purchase_transitions_total",
    "Purchases moved from one status to another, counted once it is committed.",
    ["from_status", "trigger", "to_status"],
)
for (before, why), row in TRANSITIONS.items():
    MOVES.labels(before, why, row.status)


def move(
    session: AsyncSession, purchase: Purchase, trigger: Trigger, *, cause: Cause, **details: Any
) -> Step | Refused:
    """Do what TRANSITIONS says `trigger` does. The caller holds the row's lock and deals with a Refused."""
    step = decide(status=purchase.status, trigger=trigger)
    if isinstance(step, Step):
        before = purchase.status
        purchase.status = step.status
        _stamp(purchase, before, step.status, cause)
        announce(session, purchase, FACTS[step.fact], cause=cause, previous_status=before.value, **details)
        record(session, purchase, before, trigger, cause)
        call_after_commit(session, MOVES.labels(before, trigger, step.status).inc)
    return step


def move_or_record_stale(session: AsyncSession, purchase: Purchase, trigger: Trigger, *, cause: Cause) -> bool:
    """Move at Stripe's word, or record that it came too late to change anything; return whether it moved."""
    if isinstance(move(session, purchase, trigger, cause=cause), Step):
        return True
    record(session, purchase, purchase.status, trigger, cause, stale=True)
    return False


def end_payable(purchase: Purchase) -> None:
    """Note that no money can arrive for it at Stripe any more: its invoice is paid, void, deleted or absent.

    The slot of one that is over is free from then on (`transitions.HOLDS_SLOT`).
    """
    purchase.payable = False


def note_failure(purchase: Purchase, *, code: str | None, declined_at: datetime | None = None) -> None:
    """Keep Stripe's code, or ours, and when the card was declined, if it was; what was noted first stands.

    Call it before the `move` that fails the purchase, whose fact carries both.
    """
    purchase.failure_code = purchase.failure_code or code
    purchase.declined_at = purchase.declined_at or declined_at


def wait_for_bank(purchase: Purchase) -> None:
    """Note that the bank is at work on a debit, which takes days: there is no page where anybody could hurry it."""
    purchase.waiting_for, purchase.action_url = WAITING_FOR_BANK, None


def wait_for_customer(purchase: Purchase, *, action_url: str | None) -> None:
    """Note that the customer is awaited at `action_url`, and no bank; None where no such page is known."""
    purchase.waiting_for, purchase.action_url = None, action_url


def _stamp(purchase: Purchase, before: Status, after: Status, cause: Cause) -> None:
    if before is Status.PENDING:
        purchase.action_url = purchase.waiting_for = None
    if before is Status.REFUNDED:
        # Put back as it was: the first payment's and delivery's times stand.
        purchase.refunded_at = purchase.refunded_from = None
        return
    if after is Status.REFUNDED:
        purchase.refunded_from = before
    if before is Status.FAILED:
        purchase.failed_at = purchase.failure_code = None
    setattr(purchase, STAMPS[after], cause.at)


def record(
    session: AsyncSession,
    purchase: Purchase,
    before: Status | None,
    trigger: str,
    cause: Cause,
    *,
    stale: bool = False,
) -> None:
    """Add a line to the history of the purchase as it is now; `before` is None for the first one."""
    append(
        session,
        HISTORY,
        purchase_id=purchase.id,
        sequence=purchase.sequence,
        from_status=before,
        to_status=purchase.status,
        trigger=trigger,
        stale=stale,
        actor=cause.actor,
        stripe_event_id=cause.stripe_event_id,
        reason=cause.reason,
        at=cause.at,
    )
