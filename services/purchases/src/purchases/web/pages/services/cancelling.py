"""A buyer cancels a purchase: a page that says what that means, and the form that does it."""

from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError
from starlette.responses import Response

from chassis.pages import page_router
from chassis.pages.forms import errors_by_field
from chassis.pages.site import see_other
from chassis.problems import Problem
from purchases.checkout import store as checkouts
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.moves.cancel import Cancellation, cancel
from purchases.web.bodies import NoteBody
from purchases.web.pages.paths import PurchaseId, about, services_path
from purchases.web.pages.services.services_view import ServicesQuery, can_cancel, services_page, shown
from purchases.web.pages.switching import others
from purchases.web.pages.visit import BuyerVisit, SpendingBuyerVisit, WorkspaceVisit, status_in
from purchases.web.pages.words import WHEN_CANCELLING, words_for
from purchases.web.reading import read_purchase
from purchases.web.requests import Stripe

router = page_router("/app/{ws}/billing/addons/{purchase_id}/cancel")

PAID_MEANWHILE: Final = "already-purchased"


@router.get("")
async def ask_to_cancel(visit: BuyerVisit, purchase_id: PurchaseId) -> Response:
    """Show what cancelling means for this purchase."""
    purchase = await read_purchase(visit.database, visit.workspace.id, purchase_id)
    if not can_cancel(purchase):
        return see_other(about(visit.workspace.id, purchase_id))
    return await _question(visit, purchase)


@router.post("")
async def cancel_service(visit: SpendingBuyerVisit, purchase_id: PurchaseId, client: Stripe) -> Response:
    """Cancel it once: sent again, the form shows how it stands. What can be tried again is asked anew, as typed."""
    workspace_id, fields = visit.workspace.id, await visit.fields()
    reason = fields.get("reason", "")
    try:
        note = NoteBody(reason=reason.strip() or None)
    except ValidationError as error:
        purchase = await read_purchase(visit.database, workspace_id, purchase_id)
        return await _question(visit, purchase, reason=reason, errors=errors_by_field(error))
    cancellation = Cancellation(
        purchase_id=purchase_id,
        workspace_id=workspace_id,
        actor=visit.actor,
        reason=note.reason,
        expected=status_in(fields),
    )
    try:
        await cancel(database=visit.database, client=client, cancellation=cancellation)
    except Problem as problem:
        purchase = await read_purchase(visit.database, workspace_id, purchase_id)
        if can_cancel(purchase) and problem.slug != PAID_MEANWHILE:
            return await _question(visit, purchase, reason=reason, problem=problem)
        if purchase.status is not Status.CANCELLED:
            return await services_page(visit, ServicesQuery(), problem, words=WHEN_CANCELLING)
    return see_other(about(workspace_id, purchase_id))


async def _question(
    visit: WorkspaceVisit,
    purchase: Purchase,
    *,
    reason: str = "",
    errors: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    """Show the form, with what was typed before where something was wrong with it, or a refusal passes."""
    async with visit.database.reading() as session:
        elsewhere = await others(session, visit, services_path)
        checkout = await checkouts.live_of_purchase(session, purchase)
    return visit.page(
        "cancel.html",
        problem=problem,
        errors=errors,
        **shown(visit.workspace.id),
        workspace=visit.workspace,
        others=elsewhere,
        purchase=purchase,
        checkout=checkout,
        reason=reason,
        refused=(words_for(problem, WHEN_CANCELLING) or visit.words(problem)) if problem else None,
    )
