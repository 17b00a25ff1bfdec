"""A workspace's plan, for everyone in it; what of its payments went back or is disputed, for buyers and staff."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from chassis.database.database import Database
from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit, cut_page, position_of
from purchases.caps.claim_resource import plan_not_known
from purchases.caps.read_billing import read_billing
from purchases.ledger import plan_money
from purchases.ledger.plan_rows import WorkspaceDispute, WorkspaceRefund
from purchases.web.access import AtDatabase, Buyer, Member, Staff
from purchases.web.api.plan_money_replies import (
    PlanDisputeReply,
    PlanDisputesReply,
    PlanMoneyPosition,
    PlanRefundReply,
    PlanRefundsReply,
    ReplyT,
    StaffPlanDisputeReply,
    StaffPlanDisputesReply,
    StaffPlanRefundReply,
    StaffPlanRefundsReply,
    position_of_row,
    replies,
)
from purchases.web.bodies import Id
from purchases.web.replies.plan_replies import BillingReply, billing_reply
from purchases.web.requests import SettingsOfApp
from purchases.web.responses import of_buyers, of_members, of_staff

router = APIRouter()

OfWorkspace = Annotated[Id | None, Query(description="Of this workspace", examples=["ws-acme"])]


@router.get(
    "/v1/workspaces/{ws}/billing",
    operation_id="get_billing",
    responses=of_members(plan_not_known()),
    tags=["plan"],
)
async def get_billing(workspace: Member, database: AtDatabase, settings: SettingsOfApp) -> BillingReply:
    """Plan, status, period end, caps and usage, prices."""
    async with database.reading() as session:
        billing = await read_billing(session=session, workspace=workspace)
    return billing_reply(billing, support_email=settings.support_email)


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
    shown, next_cursor = await _page(database, plan_money.refunds_of, workspace.id, limit, cursor, PlanRefundReply)
    return PlanRefundsReply(refunds=shown, next_cursor=next_cursor)


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
    shown, next_cursor = await _page(database, plan_money.disputes_of, workspace.id, limit, cursor, PlanDisputeReply)
    return PlanDisputesReply(disputes=shown, next_cursor=next_cursor)


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
    shown, next_cursor = await _page(database, plan_money.refunds_of, workspace, limit, cursor, StaffPlanRefundReply)
    return StaffPlanRefundsReply(refunds=shown, next_cursor=next_cursor)


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
    shown, next_cursor = await _page(database, plan_money.disputes_of, workspace, limit, cursor, StaffPlanDisputeReply)
    return StaffPlanDisputesReply(disputes=shown, next_cursor=next_cursor)


async def _page(
    database: Database,
    find: Callable[..., Awaitable[Sequence[WorkspaceRefund | WorkspaceDispute]]],
    workspace_id: str | None,
    limit: int,
    cursor: str | None,
    kind: type[ReplyT],
) -> tuple[list[ReplyT], str | None]:
    """Return a page of what `find` finds, and the next page's cursor. Raises InvalidCursor."""
    position = position_of(cursor, PlanMoneyPosition)
    after = (position.at, position.id) if position else None
    async with database.reading() as session:
        found = await find(session, workspace_id, after=after, limit=limit + 1)
    shown, next_cursor = cut_page(found, limit, position_of_row)
    return replies(shown, kind), next_cursor
