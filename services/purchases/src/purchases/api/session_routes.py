"""Sessions on Stripe's hosted pages, started for a workspace's people."""

from typing import Final

from fastapi import APIRouter

from chassis.openapi import UNREADABLE
from purchases import refusals
from purchases.api.access import AtDatabase, Buyer
from purchases.api.refused import of_buyers
from purchases.api.requests import Stripe, Told, allowed_url
from purchases.api.session_bodies import SessionReply, SetupSessionBody, session_reply
from purchases.handlers.save_card import save_card

router = APIRouter(prefix="/workspaces/{ws}", tags=["sessions"])

STRIPE_SAYS_NO: Final = (refusals.stripe_refused("resource_missing"), refusals.stripe_unavailable())


@router.post(
    "/setup-sessions",
    operation_id="open_setup_session",
    status_code=201,
    responses=of_buyers(*UNREADABLE, refusals.return_url_not_allowed(), *STRIPE_SAYS_NO),
)
async def open_setup_session(
    workspace: Buyer, body: SetupSessionBody, database: AtDatabase, client: Stripe, settings: Told
) -> SessionReply:
    """A page of Stripe where a card is saved; once it is, the workspace pays with it."""
    page = await save_card(
        database=database,
        client=client,
        instance=settings.quittance_instance,
        workspace_id=workspace.id,
        return_url=allowed_url(body.return_url, settings),
    )
    return session_reply(page)
