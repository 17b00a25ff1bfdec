"""The plan of a workspace, for everyone in it."""

from fastapi import APIRouter

from purchases.api.access import AtDatabase, Member
from purchases.api.plan_replies import BillingReply, billing_reply
from purchases.api.refused import of_members
from purchases.api.requests import Told
from purchases.handlers.plan.claim_resource import plan_not_known
from purchases.handlers.plan.read_billing import read_billing

router = APIRouter(prefix="/v1/workspaces/{ws}", tags=["plan"])


@router.get("/billing", operation_id="get_billing", responses=of_members(plan_not_known()))
async def get_billing(workspace: Member, database: AtDatabase, settings: Told) -> BillingReply:
    """Plan, status, period end, caps and usage, prices."""
    async with database.reading() as session:
        billing = await read_billing(session=session, workspace=workspace)
    return billing_reply(billing, support_email=settings.support_email)
