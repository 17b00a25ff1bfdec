"""A workspace's owner or admin cancels what it bought."""

from uuid import UUID

from fastapi import APIRouter

from chassis.web.openapi import UNREADABLE
from purchases.ledger import problems
from purchases.ledger.transitions import Status
from purchases.moves.cancel import Cancellation, cancel
from purchases.moves.move_by_hand import illegal_move
from purchases.web.budget import SpendingBuyer
from purchases.web.move_bodies import CancelBody
from purchases.web.replies.examples import CANCELLED_TWICE
from purchases.web.replies.purchase_replies import PurchaseReply, purchase_reply
from purchases.web.responses import CHECKOUT_IN_THE_WAY, of_buyers
from purchases.web.stripe_requests import AtStripe

router = APIRouter(prefix="/v1/workspaces/{ws}/purchases", tags=["purchases"])

NOT_CANCELLED = of_buyers(
    *UNREADABLE,
    problems.purchase_not_found(),
    illegal_move(CANCELLED_TWICE),
    problems.status_changed(Status.PAID),
    problems.payment_in_progress(),
    *CHECKOUT_IN_THE_WAY,
)


@router.post("/{purchase_id}/cancel", operation_id="cancel_purchase", responses=NOT_CANCELLED)
async def cancel_purchase(
    workspace: SpendingBuyer, purchase_id: UUID, at: AtStripe, body: CancelBody | None = None
) -> PurchaseReply:
    """Cancel it before delivery. Paid money is not refunded by this: our team decides, and is told."""
    cancellation = Cancellation(
        purchase_id=purchase_id,
        workspace_id=workspace.id,
        actor=at.actor,
        reason=body.reason if body else None,
        expected=body.expected_status if body else None,
    )
    return purchase_reply(await cancel(database=at.database, client=at.client, cancellation=cancellation))
