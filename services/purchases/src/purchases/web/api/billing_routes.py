"""The plan of a workspace, for everyone in it."""

from fastapi import APIRouter

from purchases.caps.claim_resource import plan_not_known
from purchases.caps.read_billing import read_billing
from purchases.web.access import AtDatabase, Member
from purchases.web.replies.plan_replies import BillingReply, billing_reply
from purchases.web.requests import SettingsOfApp
from purchases.web.responses import of_members

router = APIRouter(prefix="/v1/workspaces/{ws}", tags=["plan"])


@router.get("/billing", operation_id="get_billing", responses=of_members(plan_not_known()))
async def get_billing(workspace: Member, database: AtDatabase, settings: SettingsOfApp) -> BillingReply:
    """Plan, status, period end, caps and usage, prices."""
    async with database.reading() as session:
        billing = await read_billing(session=session, workspace=workspace)
    return billing_reply(billing, support_email=settings.support_email)
