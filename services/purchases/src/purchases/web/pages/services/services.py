"""`/app/{workspace}/billing/addons`: what can be bought, what was bought, and buying it."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Form, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from chassis.database.database import Database
from chassis.money import MAX_MINOR_UNITS
from chassis.pages import AtPages, NavLink, page_router
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.web.auth import CurrentCaller
from chassis.web.web import Body
from purchases.buying.buy import Order
from purchases.customers.save_card import save_card
from purchases.ledger import problems
from purchases.ledger import store as ledger
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.settings import Settings
from purchases.web.access import AtDatabase, Buyer
from purchases.web.api.purchase_routes import buy_here
from purchases.web.budget import SpendingBuyer
from purchases.web.pages.awaited import watch_of
from purchases.web.pages.from_the_bank import WithoutTheSecret, back_from_the_bank
from purchases.web.pages.ids import PurchaseId
from purchases.web.pages.paths import about, services_path
from purchases.web.pages.services.services_view import Asked, purchase_live, services_page
from purchases.web.requests import SettingsOfApp, Stripe, own_page

router = page_router("/app/{ws}/billing/addons")


class BuyForm(Body):
    """What stood on the page when *Buy now* was pressed. The key is the page's, so that pressing twice is one order."""

    addon: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    price_cents: Annotated[int, Field(gt=0, le=MAX_MINOR_UNITS)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


async def show_services(
    request: Request,
    pages: AtPages,
    workspace: Buyer,
    database: AtDatabase,
    about: str | None = None,
    returned: str | None = None,
    back: str | None = None,
    cursor: str | None = None,
) -> Response:
    """The cards and the history; `about` says of which purchase there is news. From a bank one is sent on to that."""
    if (there := await back_from_the_bank(database, workspace.id, request.query_params)) is not None:
        return see_other(there)
    asked = Asked(about=about, returned=returned, back=back, cursor=cursor)
    return await services_page(request, pages, database, workspace, asked)


router.add_api_route("", show_services, methods=["GET"], route_class_override=WithoutTheSecret)


@router.post("")
async def buy_service(
    request: Request,
    pages: AtPages,
    workspace: SpendingBuyer,
    form: Annotated[BuyForm, Form()],
    caller: CurrentCaller,
    database: AtDatabase,
    client: Stripe,
    settings: SettingsOfApp,
) -> Response:
    """Buy with the saved card; the bank may want to be asked."""
    order = Order(
        workspace_id=workspace.id,
        addon_slug=form.addon,
        expected_price_cents=form.price_cents,
        expected_currency=form.currency,
        return_url=_back_here(settings, workspace.id, form.addon),
        idempotency_key=form.key,
        buyer=f"user:{caller.subject}",
    )
    try:
        bought = await buy_here(order, database=database, client=client, settings=settings)
    except Problem as problem:
        return await services_page(request, pages, database, workspace, Asked(), problem)
    return see_other(_after(bought.purchase))


@router.post("/card")
async def save_another_card(
    request: Request,
    pages: AtPages,
    workspace: SpendingBuyer,
    database: AtDatabase,
    client: Stripe,
    settings: SettingsOfApp,
) -> Response:
    """To Stripe's page, where a card is saved."""
    try:
        page = await save_card(
            database=database,
            client=client,
            instance=settings.quittance_instance,
            workspace_id=workspace.id,
            return_url=_back_here(settings, workspace.id, ""),
        )
    except Problem as problem:
        return await services_page(request, pages, database, workspace, Asked(), problem)
    return see_other(page.url)


@router.get("/card")
async def back_to_services(workspace: Buyer) -> Response:
    """Who asks for the address of a form."""
    return see_other(services_path(workspace.id))


@router.get("/{purchase_id}/bank")
async def go_to_the_bank(
    request: Request, pages: AtPages, workspace: Buyer, purchase_id: PurchaseId, database: AtDatabase
) -> Response:
    """Where the bank wants the buyer; back to the page once it does no more."""
    purchase = await find_purchase(database, workspace.id, purchase_id)
    if not _waits_for_the_bank(purchase):
        return see_other(about(workspace.id, purchase.id))
    return pages.leave_for(
        request,
        str(purchase.action_url),
        title="Your bank wants you to confirm",
        what=f"It is about {purchase.addon_name} for the workspace {workspace.name}. "
        "Nothing is charged before you do. Your bank's page opens by itself. "
        "If it does not bring you back, open the Services page: it shows how your purchase stands.",
        stay=NavLink("See how it stands", about(workspace.id, purchase.id)),
    )


@router.get("/{purchase_id}/live")
async def show_purchase_live(
    request: Request,
    pages: AtPages,
    workspace: Buyer,
    purchase_id: PurchaseId,
    database: AtDatabase,
    was: str | None = None,
    since: int | None = None,
    returned: str | None = None,
) -> Response:
    """A part of the page, asked for by itself while money may still move; `was` is the status that the page shows."""
    purchase = await find_purchase(database, workspace.id, purchase_id)
    watch, was_pending = watch_of(since, returned), was == Status.PENDING
    return await purchase_live(request, pages, database, workspace.id, purchase, watch=watch, was_pending=was_pending)


async def find_purchase(database: Database, workspace_id: str, purchase_id: UUID) -> Purchase:
    """Of this workspace. Raises Problem 404."""
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id, workspace_id=workspace_id)
    if purchase is None:
        raise problems.purchase_not_found()
    return purchase


def _after(purchase: Purchase) -> str:
    if _waits_for_the_bank(purchase):
        return f"{services_path(purchase.workspace_id)}/{purchase.id}/bank"
    return about(purchase.workspace_id, purchase.id)


def _waits_for_the_bank(purchase: Purchase) -> bool:
    return purchase.status is Status.PENDING and purchase.action_url is not None


def _back_here(settings: Settings, workspace_id: str, slug: str) -> str:
    return f"{own_page(settings, workspace_id, 'billing/addons')}?{urlencode({'back': slug})}"
