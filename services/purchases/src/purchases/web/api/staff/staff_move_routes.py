"""What platform staff does to a purchase: deliver, cancel, refund, re-open."""

from uuid import UUID

from fastapi import APIRouter, Depends, Response

from chassis.problems import Problem
from chassis.web.openapi import NOTHING_HERE, UNREADABLE, Responses
from purchases.ledger import problems
from purchases.ledger.transitions import Refused, Status, Trigger
from purchases.moves.cancel import Cancellation, cancel
from purchases.moves.move_by_hand import illegal_move, move_by_hand
from purchases.refunds.request_refund import (
    RefundOrder,
    already_refunded,
    nothing_paid,
    paid_outside_stripe,
    refund_too_large,
    request_refund,
)
from purchases.web.access import AtDatabase, ByStaff
from purchases.web.bodies import NoteBody, ReasonBody, RefundBody, StaffCancelBody
from purchases.web.budget import staff_within_budget
from purchases.web.replies.examples import CANCELLED_TWICE, REOPENED_EARLY, TOO_EARLY
from purchases.web.replies.purchase_replies import PurchaseReply, purchase_reply
from purchases.web.replies.staff_replies import RefundReply
from purchases.web.requests import IdempotencyKey, Stripe
from purchases.web.responses import CHECKOUT_IN_THE_WAY, of_staff

router = APIRouter(prefix="/v1/admin/purchases/{purchase_id}", tags=["staff"])

REPEATED: Responses = {
    200: {"model": RefundReply, "description": "A repeated Idempotency-Key: the refund as it is now"}
}


def _not_moved(refused: Refused) -> tuple[Problem, ...]:
    return (*UNREADABLE, problems.purchase_not_found(), NOTHING_HERE, illegal_move(refused))


NOT_REFUNDED = of_staff(
    *UNREADABLE,
    problems.purchase_not_found(),
    NOTHING_HERE,
    nothing_paid(),
    paid_outside_stripe(),
    already_refunded(),
    refund_too_large(left=9900, currency="EUR"),
    problems.key_reused(),
)


@router.post("/deliver", operation_id="deliver_purchase", responses=of_staff(*_not_moved(TOO_EARLY)))
async def deliver_purchase(
    purchase_id: UUID, actor: ByStaff, database: AtDatabase, body: NoteBody | None = None
) -> PurchaseReply:
    """Mark the work as complete."""
    reason = body.reason if body else None
    async with database.transaction() as session:
        moved = await move_by_hand(session, Trigger.DELIVERED, purchase_id=purchase_id, actor=actor, reason=reason)
        return purchase_reply(moved)


@router.post(
    "/cancel",
    operation_id="cancel_purchase_as_staff",
    dependencies=[Depends(staff_within_budget)],
    responses=of_staff(
        *_not_moved(CANCELLED_TWICE),
        problems.status_changed(Status.PAID),
        problems.payment_in_progress(),
        *CHECKOUT_IN_THE_WAY,
    ),
)
async def cancel_purchase_as_staff(
    purchase_id: UUID, body: StaffCancelBody, actor: ByStaff, database: AtDatabase, client: Stripe
) -> PurchaseReply:
    """Cancel it before delivery, and ask for the refund of what remains where `refund` says so."""
    cancellation = Cancellation(
        purchase_id=purchase_id,
        actor=actor,
        reason=body.reason,
        refund=body.refund,
        expected=body.expected_status,
    )
    return purchase_reply(await cancel(database=database, client=client, cancellation=cancellation))


@router.post("/refund", operation_id="refund_purchase", status_code=202, responses=NOT_REFUNDED | REPEATED)
async def refund_purchase(
    purchase_id: UUID,
    body: RefundBody,
    key: IdempotencyKey,
    actor: ByStaff,
    database: AtDatabase,
    response: Response,
) -> RefundReply:
    """Ask for a refund, in full or in part. It counts against what remains at once; Stripe is asked afterwards."""
    order = RefundOrder(
        purchase_id=purchase_id,
        amount_cents=body.amount_cents,
        reason=body.reason,
        idempotency_key=key,
        staff=actor,
    )
    async with database.transaction() as session:
        requested = await request_refund(session=session, order=order)
        response.status_code = 200 if requested.repeated else 202
        return RefundReply.model_validate(requested.refund, from_attributes=True)


@router.post("/reopen", operation_id="reopen_purchase", responses=of_staff(*_not_moved(REOPENED_EARLY)))
async def reopen_purchase(purchase_id: UUID, body: ReasonBody, actor: ByStaff, database: AtDatabase) -> PurchaseReply:
    """Let the workspace buy a delivered add-on once more. The money stays."""
    async with database.transaction() as session:
        moved = await move_by_hand(session, Trigger.REOPENED, purchase_id=purchase_id, actor=actor, reason=body.reason)
        return purchase_reply(moved)
