"""A buyer cancels a purchase: a page that says what that means, and the form that does it."""

from collections.abc import Mapping
from typing import Final

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.forms import errors_by_field, typed
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.web.auth import CurrentCaller
from purchases.checkout import store as checkouts
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.moves.cancel import Cancellation, cancel
from purchases.web.access import AtDatabase, Buyer
from purchases.web.budget import SpendingBuyer
from purchases.web.move_bodies import NoteBody
from purchases.web.pages.ids import PurchaseId
from purchases.web.pages.paths import about, services_path
from purchases.web.pages.seen import status_in
from purchases.web.pages.services.services import find_purchase
from purchases.web.pages.services.services_view import Asked, can_cancel, services_page, shown
from purchases.web.pages.switching import others
from purchases.web.pages.words import WHEN_CANCELLING, words_for
from purchases.web.requests import Stripe
from purchases.workspaces.rows import Workspace

router = page_router("/app/{ws}/billing/addons/{purchase_id}/cancel")

PAID_MEANWHILE: Final = "already-purchased"


@router.get("")
async def ask_to_cancel(
    request: Request, pages: AtPages, workspace: Buyer, purchase_id: PurchaseId, database: AtDatabase
) -> Response:
    """What cancelling means for this purchase."""
    purchase = await find_purchase(database, workspace.id, purchase_id)
    if not can_cancel(purchase):
        return see_other(about(workspace.id, purchase_id))
    return await _question(request, pages, database, workspace, purchase)


@router.post("")
async def cancel_service(
    request: Request,
    pages: AtPages,
    workspace: SpendingBuyer,
    purchase_id: PurchaseId,
    caller: CurrentCaller,
    database: AtDatabase,
    client: Stripe,
) -> Response:
    """Done once: who asks again is told how it stands. What can be tried again is asked anew, with what was typed."""
    fields = dict(await typed(request))
    reason = fields.get("reason", "")
    try:
        note = NoteBody(reason=reason.strip() or None)
    except ValidationError as error:
        purchase = await find_purchase(database, workspace.id, purchase_id)
        errors = errors_by_field(error)
        return await _question(request, pages, database, workspace, purchase, reason=reason, errors=errors)
    cancellation = Cancellation(
        purchase_id=purchase_id,
        workspace_id=workspace.id,
        actor=f"user:{caller.subject}",
        reason=note.reason,
        expected=status_in(fields),
    )
    try:
        await cancel(database=database, client=client, cancellation=cancellation)
    except Problem as problem:
        purchase = await find_purchase(database, workspace.id, purchase_id)
        if can_cancel(purchase) and problem.slug != PAID_MEANWHILE:
            return await _question(request, pages, database, workspace, purchase, reason=reason, problem=problem)
        if purchase.status is not Status.CANCELLED:
            return await services_page(request, pages, database, workspace, Asked(), problem, words=WHEN_CANCELLING)
    return see_other(about(workspace.id, purchase_id))


async def _question(
    request: Request,
    pages: Pages,
    database: Database,
    workspace: Workspace,
    purchase: Purchase,
    *,
    reason: str = "",
    errors: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    """With what was typed before, where something was wrong with it, or a refusal passes."""
    async with database.reading() as session:
        elsewhere = await others(session, request, workspace, services_path)
        checkout = await checkouts.live_of_purchase(session, purchase)
    return pages.page(
        request,
        "cancel.html",
        problem=problem,
        errors=errors,
        **shown(workspace.id),
        workspace=workspace,
        others=elsewhere,
        purchase=purchase,
        checkout=checkout,
        reason=reason,
        refused=(words_for(problem, WHEN_CANCELLING) or pages.for_people(request, problem)) if problem else None,
    )
