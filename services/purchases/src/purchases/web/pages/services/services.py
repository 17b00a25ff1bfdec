"""`/app/{workspace}/billing/addons`: what can be bought, what was bought, and buying it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Form, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from chassis.database.database import Database
from chassis.money import MAX_MINOR_UNITS
from chassis.pages import NavLink, page_router
from chassis.pages.routes import PageRoute
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.web.web import Body
from purchases.ledger import search
from purchases.ledger.rows import Purchase
from purchases.ledger.search import PurchaseQuery
from purchases.ledger.transitions import Status
from purchases.web.pages.awaited import answer_of, watch_of
from purchases.web.pages.paths import PurchaseId, about, services_path
from purchases.web.pages.services.services_view import ServicesQuery, purchase_live, services_page
from purchases.web.pages.visit import BuyerVisit, SpendingBuyerVisit, WorkspaceVisit
from purchases.web.reading import read_purchase
from purchases.web.stripe_requests import AtStripe, buy_with_saved_card, open_card_page

SECRET: Final = "payment_intent_client_secret"  # noqa: S105 - its name
"""What Stripe adds on the way back from a bank is read once, and its secret is kept nowhere."""
FROM_STRIPE: Final = frozenset({"payment_intent", "redirect_status"})
"""What Stripe adds besides the secret."""
INTENT: Final = re.compile(r"pi_[A-Za-z0-9_]{1,250}", re.ASCII)


class WithoutTheSecret(PageRoute):
    """The page's own address without the secret, before anybody is asked to sign in and to come back to it."""

    def get_route_handler(self) -> Any:
        """Return the page's handler, behind a redirect that needs no session."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            if SECRET not in request.query_params:
                response: Response = await handle(request)
                return response
            kept = [(name, value) for name, value in request.query_params.multi_items() if name != SECRET]
            return see_other(f"{services_path(request.path_params['ws'])}?{urlencode(kept)}")

        return handled


async def back_from_the_bank(database: Database, workspace_id: str, said: Mapping[str, str]) -> str | None:
    """Return the page with news of the purchase that was being paid; None for an address that no bank led to."""
    if not FROM_STRIPE & said.keys():
        return None
    intent = said.get("payment_intent", "")
    if not INTENT.fullmatch(intent):
        return services_path(workspace_id)
    async with database.reading() as session:
        query = PurchaseQuery(workspace_id=workspace_id, stripe_id=intent)
        purchase = next(iter(await search.page(session, query, after=None, limit=1)), None)
    if purchase is None:
        return services_path(workspace_id)
    return about(workspace_id, purchase.id, answer_of(said.get("redirect_status")))


router = page_router("/app/{ws}/billing/addons")


class BuyForm(Body):
    """What stood on the page when *Buy now* was pressed. The key is the page's, so that pressing twice is one order."""

    addon: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    price_cents: Annotated[int, Field(gt=0, le=MAX_MINOR_UNITS)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


async def show_services(
    visit: BuyerVisit,
    about: str | None = None,
    returned: str | None = None,
    back: str | None = None,
    cursor: str | None = None,
) -> Response:
    """Show the cards and the history, with news of the purchase `about`; from a bank one is sent on to that."""
    there = await back_from_the_bank(visit.database, visit.workspace.id, visit.request.query_params)
    if there is not None:
        return see_other(there)
    return await services_page(visit, ServicesQuery(about=about, returned=returned, back=back, cursor=cursor))


router.add_api_route("", show_services, methods=["GET"], route_class_override=WithoutTheSecret)


@router.post("")
async def buy_service(visit: SpendingBuyerVisit, form: Annotated[BuyForm, Form()], at: AtStripe) -> Response:
    """Buy with the saved card; the bank may want to be asked."""
    try:
        bought = await buy_with_saved_card(
            at,
            workspace_id=visit.workspace.id,
            addon=form.addon,
            price_cents=form.price_cents,
            currency=form.currency,
            return_url=_back_here(visit, form.addon),
            key=form.key,
        )
    except Problem as problem:
        return await services_page(visit, ServicesQuery(), problem)
    return see_other(_after(bought.purchase))


@router.post("/card")
async def save_another_card(visit: SpendingBuyerVisit, at: AtStripe) -> Response:
    """Lead to Stripe's page, where a card is saved."""
    try:
        page = await open_card_page(at, workspace_id=visit.workspace.id, return_url=_back_here(visit, ""))
    except Problem as problem:
        return await services_page(visit, ServicesQuery(), problem)
    return see_other(page.url)


@router.get("/card")
async def back_to_services(visit: BuyerVisit) -> Response:
    """Lead who asks for the address of a form to its page."""
    return see_other(services_path(visit.workspace.id))


@router.get("/{purchase_id}/bank")
async def go_to_the_bank(visit: BuyerVisit, purchase_id: PurchaseId) -> Response:
    """Lead to where the bank wants the buyer; back to the page once it does no more."""
    workspace = visit.workspace
    purchase = await read_purchase(visit.database, workspace.id, purchase_id)
    if not _waits_for_the_bank(purchase):
        return see_other(about(workspace.id, purchase.id))
    return visit.pages.leave_for(
        visit.request,
        str(purchase.action_url),
        title="Your bank wants you to confirm",
        what=f"It is about {purchase.addon_name} for the workspace {workspace.name}. "
        "Nothing is charged before you do. Your bank's page opens by itself. "
        "If it does not bring you back, open the Services page: it shows how your purchase stands.",
        stay=NavLink("See how it stands", about(workspace.id, purchase.id)),
    )


@router.get("/{purchase_id}/live")
async def show_purchase_live(
    visit: BuyerVisit,
    purchase_id: PurchaseId,
    was: str | None = None,
    since: int | None = None,
    returned: str | None = None,
) -> Response:
    """Show a part of the page, asked for by itself while money may move; `was`: the status that the page shows."""
    purchase = await read_purchase(visit.database, visit.workspace.id, purchase_id)
    return await purchase_live(visit, purchase, watch=watch_of(since, returned), was_pending=was == Status.PENDING)


def _after(purchase: Purchase) -> str:
    if _waits_for_the_bank(purchase):
        return f"{services_path(purchase.workspace_id)}/{purchase.id}/bank"
    return about(purchase.workspace_id, purchase.id)


def _waits_for_the_bank(purchase: Purchase) -> bool:
    return purchase.status is Status.PENDING and purchase.action_url is not None


def _back_here(visit: WorkspaceVisit, slug: str) -> str:
    return f"{visit.address('billing/addons')}?{urlencode({'back': slug})}"
