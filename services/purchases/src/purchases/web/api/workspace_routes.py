"""Workspaces, as the host product registers them."""

from fastapi import APIRouter, Depends

from chassis.web.openapi import NOTHING_HERE, UNREADABLE
from purchases.customers.register_workspace import (
    Registration,
    customer_fixed,
    customer_taken,
    owner_fixed,
    register_workspace,
)
from purchases.stripe_budgets.problems import too_many_requests
from purchases.web.access import HostProduct, WorkspaceId
from purchases.web.bodies import WorkspaceBody
from purchases.web.budget import product_within_budget
from purchases.web.replies.purchase_replies import WorkspaceReply, workspace_reply
from purchases.web.responses import of_scope
from purchases.web.stripe_requests import AtStripe

router = APIRouter(prefix="/v1/workspaces", tags=["workspaces"])

NOT_REGISTERED = of_scope(
    "workspaces:write",
    *UNREADABLE,
    NOTHING_HERE,
    owner_fixed(),
    customer_taken(),
    customer_fixed(),
    too_many_requests(seconds=2),
)


@router.put(
    "/{ws}",
    operation_id="put_workspace",
    responses=NOT_REGISTERED,
    dependencies=[Depends(product_within_budget)],
)
async def put_workspace(ws: WorkspaceId, body: WorkspaceBody, _: HostProduct, at: AtStripe) -> WorkspaceReply:
    """Register or update a workspace of the host product (scope `workspaces:write`)."""
    registration = Registration(
        workspace_id=ws,
        name=body.name,
        owner_user_id=body.owner.user_id,
        owner_email=body.owner.email,
        stripe_customer_id=body.stripe_customer_id,
    )
    return workspace_reply(await register_workspace(at, registration=registration))
