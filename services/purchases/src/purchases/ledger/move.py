"""The one place where a purchase changes its status: row, history and fact together."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.appended import append
from purchases.ledger.publish import FACTS, Cause, announce
from purchases.ledger.rows import HISTORY, Purchase
from purchases.ledger.transitions import Refused, Status, Step, Trigger, decide

STAMPS: Final[Mapping[Status, str]] = {
    Status.PAID: "paid_at",
    Status.DELIVERED: "delivered_at",
    Status.FAILED: "failed_at",
    Status.CANCELLED: "cancelled_at",
    Status.REFUNDED: "refunded_at",
}


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
        _record(session, purchase, before, trigger, cause)
    return step


def move_or_record_stale(session: AsyncSession, purchase: Purchase, trigger: Trigger, *, cause: Cause) -> bool:
    """For Stripe events: one that arrived too late to matter is recorded and changes nothing. True if it moved."""
    if isinstance(move(session, purchase, trigger, cause=cause), Step):
        return True
    _record(session, purchase, purchase.status, trigger, cause, stale=True)
    return False


def record_start(session: AsyncSession, purchase: Purchase, *, cause: Cause) -> None:
    """The first line of the history."""
    _record(session, purchase, None, "bought", cause)


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


def _record(
    session: AsyncSession,
    purchase: Purchase,
    before: Status | None,
    trigger: str,
    cause: Cause,
    *,
    stale: bool = False,
) -> None:
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
