"""Sessions on Stripe's hosted pages, started for a workspace's people."""

from typing import Final

from fastapi import APIRouter, Response

from chassis.web.openapi import UNREADABLE, Responses
from purchases.catalog_copy.availability import addon_inactive, addon_not_found, price_changed
from purchases.checkout.open_checkout import checkout_over
from purchases.checkout.start_checkout import currency_mismatch, plan_not_found, plan_not_sold
from purchases.customers.usable_customer import stripe_refused, stripe_unavailable
from purchases.ledger import problems
from purchases.ledger.problems import already_purchased, settling
from purchases.stripe_budgets.problems import too_many_requests
from purchases.subscriptions.manage_subscription import portal_not_set_up
from purchases.subscriptions.problems import already_subscribed, checkout_busy
from purchases.web.budget import SpendingBuyer, SpendingOwner
from purchases.web.replies.examples import ADDON_ROW, FAILED_ROW, PAID_ROW
from purchases.web.requests import IdempotencyKey, allowed_url, own_page, return_url_not_allowed
from purchases.web.responses import of_buyers, of_owner
from purchases.web.session_bodies import (
    CheckoutSessionBody,
    PortalReply,
    PortalSessionBody,
    SessionReply,
    SetupSessionBody,
)
from purchases.web.stripe_requests import AtStripe, open_card_page, open_plan_checkout, open_portal_page

router = APIRouter(prefix="/v1/workspaces/{ws}", tags=["sessions"])

STRIPE_SAYS_NO: Final = (
    stripe_refused("resource_missing"),
    stripe_unavailable(),
    too_many_requests(seconds=2),
)
OPENED_BEFORE: Final[Responses] = {200: {"model": SessionReply, "description": "A repeated Idempotency-Key"}}
NOT_OPENED: Final = of_owner(
    *UNREADABLE,
    plan_not_found("builder"),
    plan_not_sold(plan="builder", interval="month", currency="SEK"),
    addon_not_found("professional-ai-setup"),
    addon_inactive("professional-ai-setup"),
    currency_mismatch(ADDON_ROW, currency="USD"),
    price_changed(ADDON_ROW),
    already_subscribed(),
    already_purchased(PAID_ROW),
    settling(FAILED_ROW),
    checkout_busy(),
    problems.recovering(),
    problems.payment_in_progress(),
    checkout_over("expired"),
    problems.key_reused(),
    return_url_not_allowed(),
    *STRIPE_SAYS_NO,
)


@router.post(
    "/setup-sessions",
    operation_id="open_setup_session",
    status_code=201,
    responses=of_buyers(*UNREADABLE, return_url_not_allowed(), *STRIPE_SAYS_NO),
)
async def open_setup_session(workspace: SpendingBuyer, body: SetupSessionBody, at: AtStripe) -> SessionReply:
    """A page of Stripe where a card is saved; once it is, the workspace pays with it."""
    return_url = allowed_url(body.return_url, at.settings)
    page = await open_card_page(at, workspace_id=workspace.id, return_url=return_url)
    return SessionReply(id=page.id, url=page.url)


@router.post(
    "/checkout-sessions", operation_id="open_checkout_session", status_code=201, responses=NOT_OPENED | OPENED_BEFORE
)
async def open_checkout_session(
    workspace: SpendingOwner, body: CheckoutSessionBody, key: IdempotencyKey, at: AtStripe, response: Response
) -> SessionReply:
    """A page of Stripe where the plan is bought, alone or with add-ons; it is open for half an hour."""
    opened = await open_plan_checkout(at, body, workspace_id=workspace.id, key=key)
    response.status_code = 200 if opened.repeated else 201
    return SessionReply(id=opened.session_id, url=opened.url)


@router.post(
    "/portal-sessions",
    operation_id="open_portal_session",
    status_code=201,
    responses=of_owner(*UNREADABLE, return_url_not_allowed(), portal_not_set_up(), *STRIPE_SAYS_NO),
)
async def open_portal_session(
    workspace: SpendingOwner, at: AtStripe, body: PortalSessionBody | None = None
) -> PortalReply:
    """Stripe's portal: switch the interval, cancel, resume, change the card, see invoices."""
    body = body or PortalSessionBody()
    back = own_page(at.settings, workspace.id, "settings/billing")
    return_url = allowed_url(body.return_url, at.settings) if body.return_url else back
    return PortalReply(
        url=await open_portal_page(at, workspace_id=workspace.id, return_url=return_url, cancel=body.cancel)
    )
