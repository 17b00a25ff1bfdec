"""What Stripe refused, as platform staff see it."""

from fastapi import APIRouter

from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit
from purchases.web.access import AtDatabase, Staff
from purchases.web.reading import list_refusals
from purchases.web.replies.refusal_replies import RefusalsReply
from purchases.web.responses import of_staff
from purchases.web.searching import MetByPurchase, MetByWorkspace

router = APIRouter(prefix="/v1/admin/stripe-refusals", tags=["staff"])


@router.get("", operation_id="list_stripe_refusals", responses=of_staff(InvalidCursor()))
async def list_stripe_refusals(
    _: Staff,
    database: AtDatabase,
    workspace: MetByWorkspace = None,
    purchase: MetByPurchase = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> RefusalsReply:
    """What Stripe refused in the last 90 days, with its code, message and parameter: of all workspaces, or of one."""
    return await list_refusals(database, workspace_id=workspace, purchase_id=purchase, limit=limit, cursor=cursor)
