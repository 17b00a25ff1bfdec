"""Staff's form moves a purchase once: the same form sent again is known by the purchase's history."""

import uuid
from dataclasses import dataclass

from stripe import StripeClient

from chassis.database.database import Database
from chassis.problems import Problem
from purchases.ledger import store as ledger
from purchases.ledger.rows import Transition
from purchases.ledger.transitions import Status, Trigger
from purchases.moves.cancel import Cancellation, cancel
from purchases.moves.move_by_hand import move_by_hand


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRequest:
    """One form: who moves which purchase, and why."""

    purchase_id: uuid.UUID
    trigger: Trigger
    actor: str
    reason: str | None
    seen: int
    """The purchase's sequence when the form was made."""
    expected: Status | None = None
    refund: bool = False
    """Ask for the refund of what remains; of a cancellation alone, as is `expected`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """`repeated`: the same form made the move before; `refund_requested`: money back was asked for with it."""

    repeated: bool
    refund_requested: bool


async def move_once(*, database: Database, client: StripeClient, request: MoveRequest) -> Moved:
    """Deliver, cancel or re-open it, unless this very form did. Raises Problem 404, or 409 with the reason."""
    repeated = False
    try:
        await _move(database, client, request)
    except Problem:
        repeated = True
        last, refund_requested = await _last_move(database, request.purchase_id)
        if not _is_made(request, last, refund_requested):
            raise
    else:
        _, refund_requested = await _last_move(database, request.purchase_id)
    return Moved(repeated=repeated, refund_requested=refund_requested)


async def _move(database: Database, client: StripeClient, request: MoveRequest) -> None:
    purchase_id, actor, reason = request.purchase_id, request.actor, request.reason
    if request.trigger is Trigger.CANCELLED:
        cancellation = Cancellation(
            purchase_id=purchase_id, actor=actor, reason=reason, refund=request.refund, expected=request.expected
        )
        await cancel(database=database, client=client, cancellation=cancellation)
        return
    async with database.transaction() as session:
        await move_by_hand(session, request.trigger, purchase_id=purchase_id, actor=actor, reason=reason)


async def _last_move(database: Database, purchase_id: uuid.UUID) -> tuple[Transition | None, bool]:
    """Return the last line of the history that moved the purchase, and whether money back was asked for with it.

    Both are one transaction, and have one moment.
    """
    async with database.reading() as session:
        purchase, history = await ledger.find(session, purchase_id), await ledger.history(session, purchase_id)
    last = next((line for line in reversed(history) if not line.stale), None)
    if purchase is None or last is None:
        return None, False
    return last, any((one.requested_by, one.recorded_at) == (last.actor, last.at) for one in purchase.refunds)


def _is_made(request: MoveRequest, last: Transition | None, refund_requested: bool) -> bool:
    """Return whether `request` made the last move: it is later than what the form's page showed."""
    return (
        last is not None
        and (last.trigger, last.actor, last.reason) == (request.trigger, request.actor, request.reason)
        and last.sequence > request.seen
        and (request.trigger is not Trigger.CANCELLED or request.refund == refund_requested)
    )
