"""Workspaces, as the host product registers them."""

from fastapi import APIRouter

from purchases.api.access import AtDatabase, HostProduct, WorkspaceId
from purchases.api.bodies import WorkspaceBody
from purchases.api.replies import WorkspaceReply, workspace_reply
from purchases.api.requests import Stripe, Told
from purchases.handlers.register_workspace import Registration, register_workspace

router = APIRouter(tags=["workspaces"])


@router.put("/workspaces/{ws}", operation_id="putWorkspace")
async def put_workspace(
    ws: WorkspaceId, body: WorkspaceBody, _: HostProduct, database: AtDatabase, client: Stripe, settings: Told
) -> WorkspaceReply:
    """Register or update a workspace of the host product (scope `workspaces:write`)."""
    registration = Registration(
        workspace_id=ws,
        name=body.name,
        owner_user_id=body.owner.user_id,
        owner_email=body.owner.email,
        stripe_customer_id=body.stripe_customer_id,
    )
    workspace = await register_workspace(
        database=database, client=client, instance=settings.quittance_instance, registration=registration
    )
    return workspace_reply(workspace)
