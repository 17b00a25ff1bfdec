"""`/app/{workspace}/settings/billing`: the plan for everyone in the workspace; buying and managing it for its owner."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Final, Literal
from uuid import uuid4

from fastapi import Form
from starlette.responses import Response

from chassis.pages import page_router
from chassis.pages.forms import typed
from chassis.pages.site import see_other
from chassis.problems import Problem
from purchases.checkout.open_checkout import Opened
from purchases.web.pages.billing.billing_offer import Chosen, checkout_body, chosen_in
from purchases.web.pages.billing.billing_view import BillingQuery, billing_live, billing_page
from purchases.web.pages.paths import billing_path
from purchases.web.pages.visit import MemberVisit, SpendingOwnerVisit, WorkspaceVisit
from purchases.web.stripe_requests import AtStripe, StripeRequest, open_plan_checkout, open_portal_page

router = page_router("/app/{ws}/settings/billing")

PAGE: Final = "settings/billing"
PATIENCE_SECONDS: Final = 8.0
RETRY_SECONDS: Final = 0.4


@router.get("")
async def show_billing(
    visit: MemberVisit,
    checkout: str | None = None,
    portal: str | None = None,
    since: int | None = None,
    currency: str | None = None,
) -> Response:
    """Show the plan as it is now; `checkout` and `portal` say where one comes back from, and `since` when."""
    return await billing_page(visit, BillingQuery(checkout=checkout, portal=portal, since=since, currency=currency))


@router.get("/live")
async def show_billing_live(
    visit: MemberVisit, since: int, seen: str, checkout: str | None = None, portal: str | None = None
) -> Response:
    """Show the parts of the page that changed while Stripe's word is awaited; the page asks by itself."""
    return await billing_live(visit, BillingQuery(checkout=checkout, portal=portal, since=since), seen=seen)


@router.post("/upgrade")
async def begin_upgrade(visit: SpendingOwnerVisit, at: AtStripe) -> Response:
    """Lead to Stripe's Checkout, which leads back to the page."""
    chosen = chosen_in(await typed(visit.request))
    try:
        opened = await _patiently(lambda: _opened(visit, at, chosen))
    except Problem as problem:
        return await _not_opened(visit, chosen, problem)
    return visit.pages.leave_for(
        visit.request,
        opened.url,
        title="On to Stripe",
        what="Nothing is charged before you pay there. Stripe's page opens by itself, and leads back here.",
    )


@router.post("/portal")
async def open_portal(
    visit: SpendingOwnerVisit,
    at: AtStripe,
    cancel: Annotated[Literal["at_period_end", "immediately"], Form()] = "at_period_end",
) -> Response:
    """Lead to Stripe's portal, which leads back to the page."""
    try:
        back = f"{visit.address(PAGE)}?portal=back"
        url = await open_portal_page(at, workspace_id=visit.workspace.id, return_url=back, cancel=cancel)
    except Problem as problem:
        return await billing_page(visit, BillingQuery(), problem=problem)
    return visit.pages.leave_for(
        visit.request,
        url,
        title="On to Stripe's portal",
        what=f"It opens by itself, for the workspace {visit.workspace.name}. "
        "When you are done there, its way back leads here.",
    )


@router.get("/upgrade")
@router.get("/portal")
async def back_to_the_page(visit: MemberVisit) -> Response:
    """Lead who asks for the address of a form to its page."""
    return see_other(billing_path(visit.workspace.id))


async def _opened(visit: WorkspaceVisit, at: StripeRequest, chosen: Chosen) -> Opened:
    body = checkout_body(chosen, page=visit.address(PAGE))
    return await open_plan_checkout(at, body, workspace_id=visit.workspace.id, key=chosen.request_key)


async def _patiently(open_checkout: Callable[[], Awaitable[Opened]]) -> Opened:
    """Open it; pressed twice, or in two tabs at once, the later request waits for the earlier one. Raises Problem."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await open_checkout()
        except Problem as problem:
            if problem.slug != "checkout-busy" or time.monotonic() > until:
                raise
        await asyncio.sleep(RETRY_SECONDS)


async def _not_opened(visit: WorkspaceVisit, chosen: Chosen, problem: Problem) -> Response:
    """Show the page with what was chosen; under a new key where the Checkout is over, so that it can be sent again."""
    if problem.slug == "checkout-over" and problem.extra["state"] == "complete":
        return see_other(f"{billing_path(visit.workspace.id)}?checkout={chosen.request_key}")
    if problem.slug == "checkout-over":
        chosen = replace(chosen, key=uuid4())
    return await billing_page(visit, BillingQuery(), problem=problem, chosen=chosen)
