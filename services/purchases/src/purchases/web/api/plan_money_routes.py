"""What of the plan's payments went back or is disputed: for a workspace's owner and admins, and for platform staff."""

from typing import Annotated

from fastapi import APIRouter, Query

from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit, position_of
from purchases.ledger import plan_money
from purchases.ledger.plan_money import Behind
from purchases.web.access import AtDatabase, Buyer, Staff
from purchases.web.api.plan_money_replies import (
    PlanDisputeReply,
    PlanDisputesReply,
    PlanMoneyPosition,
    PlanRefundReply,
    PlanRefundsReply,
    StaffPlanDisputeReply,
    StaffPlanDisputesReply,
    StaffPlanRefundReply,
    StaffPlanRefundsReply,
    dispute_replies,
    next_cursor_of,
    refund_replies,
)
from purchases.web.bodies import Id
from purchases.web.refused import of_buyers, of_staff

router = APIRouter()

OfWorkspace = Annotated[Id | None, Query(description="Of this workspace", examples=["ws-acme"])]


@router.get(
    "/v1/workspaces/{ws}/plan-refunds",
    operation_id="list_plan_refunds",
    responses=of_buyers(InvalidCursor()),
    tags=["plan"],
)
async def list_plan_refunds(
    workspace: Buyer, database: AtDatabase, limit: Limit = PAGE, cursor: Cursor = None
) -> PlanRefundsReply:
    """Refunds of what the workspace paid for its plan, the newest first."""
    async with database.reading() as session:
        found = await plan_money.refunds_of(session, workspace.id, after=_after(cursor), limit=limit + 1)
    shown = refund_replies(found[:limit], PlanRefundReply)
    return PlanRefundsReply(refunds=shown, next_cursor=next_cursor_of(shown, len(found)))


@router.get(
    "/v1/workspaces/{ws}/plan-disputes",
    operation_id="list_plan_disputes",
    responses=of_buyers(InvalidCursor()),
    tags=["plan"],
)
async def list_plan_disputes(
    workspace: Buyer, database: AtDatabase, limit: Limit = PAGE, cursor: Cursor = None
) -> PlanDisputesReply:
    """Disputes of what the workspace paid for its plan, the newest first."""
    async with database.reading() as session:
        found = await plan_money.disputes_of(session, workspace.id, after=_after(cursor), limit=limit + 1)
    shown = dispute_replies(found[:limit], PlanDisputeReply)
    return PlanDisputesReply(disputes=shown, next_cursor=next_cursor_of(shown, len(found)))


@router.get(
    "/v1/admin/plan-refunds",
    operation_id="list_plan_refunds_for_staff",
    responses=of_staff(InvalidCursor()),
    tags=["staff"],
)
async def list_plan_refunds_for_staff(
    _: Staff, database: AtDatabase, workspace: OfWorkspace = None, limit: Limit = PAGE, cursor: Cursor = None
) -> StaffPlanRefundsReply:
    """Refunds of plans' payments, the newest first: of all workspaces, or of one."""
    async with database.reading() as session:
        found = await plan_money.refunds_of(session, workspace, after=_after(cursor), limit=limit + 1)
    shown = refund_replies(found[:limit], StaffPlanRefundReply)
    return StaffPlanRefundsReply(refunds=shown, next_cursor=next_cursor_of(shown, len(found)))


@router.get(
    "/v1/admin/plan-disputes",
    operation_id="list_plan_disputes_for_staff",
    responses=of_staff(InvalidCursor()),
    tags=["staff"],
)
async def list_plan_disputes_for_staff(
    _: Staff, database: AtDatabase, workspace: OfWorkspace = None, limit: Limit = PAGE, cursor: Cursor = None
) -> StaffPlanDisputesReply:
    """Disputes of plans' payments, the newest first: of all workspaces, or of one."""
    async with database.reading() as session:
        found = await plan_money.disputes_of(session, workspace, after=_after(cursor), limit=limit + 1)
    shown = dispute_replies(found[:limit], StaffPlanDisputeReply)
    return StaffPlanDisputesReply(disputes=shown, next_cursor=next_cursor_of(shown, len(found)))


def _after(cursor: str | None) -> Behind | None:
    """Where the page begins. Raises InvalidCursor."""
    position = position_of(cursor, PlanMoneyPosition)
    return (position.at, position.id) if position else None
