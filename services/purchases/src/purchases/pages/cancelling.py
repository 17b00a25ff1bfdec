"""A buyer cancels a purchase: a page that says what that means, and the form that does it."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Request
from starlette.responses import Response

from chassis.auth import CurrentCaller
from chassis.database import Database
from chassis.pages import AtPages, page_router
from chassis.pages.site import see_other
from chassis.problems import Problem
from purchases.api.access import AtDatabase, Buyer
from purchases.api.move_bodies import NoteBody
from purchases.api.requests import Stripe
from purchases.domain.transitions import Status
from purchases.handlers.by_hand.cancel import Cancellation, cancel
from purchases.pages.paths import services_path
from purchases.pages.services import about, find_purchase
from purchases.pages.services_view import Asked, can_cancel, services_page, shown
from purchases.pages.switching import others
from purchases.pages.words import WHEN_CANCELLING

router = page_router("/app/{ws}/billing/addons/{purchase_id}/cancel")


@router.get("")
async def ask_to_cancel(
    request: Request, pages: AtPages, workspace: Buyer, purchase_id: UUID, database: AtDatabase
) -> Response:
    """What cancelling means for this purchase."""
    purchase = await find_purchase(database, workspace.id, purchase_id)
    if not can_cancel(purchase):
        return see_other(about(workspace.id, purchase_id))
    async with database.reading() as session:
        elsewhere = await others(session, request, workspace, services_path)
    return pages.page(
        request, "cancel.html", **shown(workspace.id), workspace=workspace, others=elsewhere, purchase=purchase
    )


@router.post("")
async def cancel_service(
    request: Request,
    pages: AtPages,
    workspace: Buyer,
    purchase_id: UUID,
    note: Annotated[NoteBody, Form()],
    caller: CurrentCaller,
    database: AtDatabase,
    client: Stripe,
) -> Response:
    """Done once: who asks again is told how it stands."""
    cancellation = Cancellation(
        purchase_id=purchase_id,
        workspace_id=workspace.id,
        actor=f"user:{caller.subject}",
        reason=note.reason,
    )
    try:
        await cancel(database=database, client=client, cancellation=cancellation)
    except Problem as problem:
        if not await _is_cancelled(database, workspace.id, purchase_id):
            return await services_page(request, pages, database, workspace, Asked(), problem, words=WHEN_CANCELLING)
    return see_other(about(workspace.id, purchase_id))


async def _is_cancelled(database: Database, workspace_id: str, purchase_id: UUID) -> bool:
    return (await find_purchase(database, workspace_id, purchase_id)).status is Status.CANCELLED
