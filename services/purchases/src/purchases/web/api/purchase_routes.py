"""What a workspace's owner and admins see and buy."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response
from stripe import StripeClient

from chassis.database.database import Database
from chassis.problems import Problem
from chassis.web.auth import CurrentCaller
from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit
from chassis.web.openapi import UNREADABLE, Responses
from purchases.buying.buy import Bought, Order, Outcome, buy, payment_method_missing
from purchases.buying.card_testing import Brake, too_many_declines
from purchases.buying.offer_addons import offer_addons
from purchases.catalog_copy.availability import addon_inactive, addon_not_found, price_changed
from purchases.customers.usable_customer import stripe_refused, stripe_unavailable
from purchases.ledger import problems, search
from purchases.ledger import store as ledger
from purchases.ledger.problems import already_purchased, settling
from purchases.ledger.search import PurchaseQuery
from purchases.settings import Settings
from purchases.stripe_budgets.problems import too_many_requests
from purchases.web.access import AtDatabase, Buyer
from purchases.web.bodies import PurchaseBody
from purchases.web.budget import SpendingBuyer
from purchases.web.refused import of_buyers
from purchases.web.replies.examples import ADDON_ROW, FAILED_ROW, NOW, PAID_ROW, PURCHASE
from purchases.web.replies.purchase_replies import (
    OffersReply,
    PurchaseReply,
    PurchasesReply,
    offers_reply,
    purchase_reply,
)
from purchases.web.requests import IdempotencyKey, Stripe, Told, allowed_url, own_page, return_url_not_allowed
from purchases.web.searching import after_of, next_cursor_of

router = APIRouter(prefix="/v1/workspaces/{ws}", tags=["purchases"])

ALSO_BOUGHT: Final[Responses] = {
    200: {"model": PurchaseReply, "description": "A repeated Idempotency-Key: the purchase as it is now"},
    202: {"model": PurchaseReply, "description": "Unknown yet: it stays pending and settles itself"},
}


def payment_declined(*, purchase: Mapping[str, Any], decline_code: str | None) -> Problem:
    """The card's bank said no; `purchase` as it is answered, failed."""
    return Problem(
        402,
        "payment-declined",
        "The card was declined",
        "Nothing was charged.",
        purchase=purchase,
        decline_code=decline_code,
    )


NOT_BOUGHT: Final = of_buyers(
    *UNREADABLE,
    payment_declined(purchase=PURCHASE, decline_code="insufficient_funds"),
    addon_not_found("professional-ai-setup"),
    addon_inactive("professional-ai-setup"),
    price_changed(ADDON_ROW),
    already_purchased(PAID_ROW),
    settling(FAILED_ROW),
    payment_method_missing(
        setup_session_id="cs_test_a1B2c3D4", setup_url="https://checkout.stripe.com/c/pay/cs_test_a1B2c3D4"
    ),
    problems.key_reused(),
    return_url_not_allowed(),
    too_many_declines(retry_at=NOW + timedelta(minutes=3), now=NOW),
    too_many_requests(seconds=2),
    stripe_refused("resource_missing"),
    stripe_unavailable(),
)


@router.get("/addons", operation_id="list_workspace_addons", responses=of_buyers())
async def list_workspace_addons(workspace: Buyer, database: AtDatabase, settings: SettingsOfApp) -> OffersReply:
    """The add-ons for sale, whether each can be bought now, and why not."""
    async with database.reading() as session:
        return offers_reply(
            await offer_addons(session=session, workspace_id=workspace.id, brake=Brake(settings.brake_declines))
        )


@router.get("/purchases", operation_id="list_purchases", responses=of_buyers(InvalidCursor()))
async def list_purchases(
    workspace: Buyer, database: AtDatabase, limit: Limit = PAGE, cursor: Cursor = None
) -> PurchasesReply:
    """The workspace's purchases, newest first."""
    wanted, after = PurchaseQuery(workspace_id=workspace.id), after_of(cursor)
    async with database.reading() as session:
        found = await search.page(session, wanted, after=after, limit=limit + 1)
    return PurchasesReply(
        purchases=[purchase_reply(purchase) for purchase in found[:limit]], next_cursor=next_cursor_of(found, limit)
    )


@router.post(
    "/purchases",
    operation_id="buy_addon",
    status_code=201,
    responses=NOT_BOUGHT | ALSO_BOUGHT,
)
async def buy_addon(
    workspace: SpendingBuyer,
    body: PurchaseBody,
    key: IdempotencyKey,
    caller: CurrentCaller,
    database: AtDatabase,
    client: Stripe,
    settings: SettingsOfApp,
    response: Response,
) -> PurchaseReply:
    """Buy one add-on with the saved card, at the price that the buyer saw."""
    order = Order(
        workspace_id=workspace.id,
        addon_slug=body.addon,
        expected_price_cents=body.expected_price_cents,
        expected_currency=body.expected_currency,
        return_url=_return_url(body.return_url, workspace.id, settings),
        idempotency_key=key,
        buyer=f"user:{caller.subject}",
    )
    return _answer(await buy_here(order, database=database, client=client, settings=settings), response)


async def buy_here(order: Order, *, database: Database, client: StripeClient, settings: Settings) -> Bought:
    """Buy as this service is set up to; also for the page. Raises a Problem when nothing was begun."""
    return await buy(
        database=database,
        client=client,
        instance=settings.quittance_instance,
        lease=timedelta(seconds=settings.purchase_lease_seconds),
        order=order,
        brake=Brake(settings.brake_declines),
    )


@router.get("/purchases/{purchase_id}", operation_id="get_purchase", responses=of_buyers(problems.purchase_not_found()))
async def get_purchase(workspace: Buyer, purchase_id: UUID, database: AtDatabase) -> PurchaseReply:
    """One purchase of this workspace; the front-end polls it while the bank asks the buyer."""
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id, workspace_id=workspace.id)
    if purchase is None:
        raise problems.purchase_not_found()
    return purchase_reply(purchase)


def _return_url(wanted: str | None, workspace_id: str, settings: Settings) -> str:
    return own_page(settings, workspace_id, "billing/addons") if wanted is None else allowed_url(wanted, settings)


def _answer(bought: Bought, response: Response) -> PurchaseReply:
    reply = purchase_reply(bought.purchase)
    match bought.outcome:
        case Outcome.DECLINED:
            raise payment_declined(purchase=_json(reply), decline_code=reply.failure_code)
        case Outcome.REFUSED:
            raise stripe_refused(reply.failure_code, purchase=_json(reply))
        case Outcome.REPEATED:
            response.status_code = 200
        case Outcome.UNKNOWN:
            response.status_code = 202
    return reply


def _json(reply: PurchaseReply) -> dict[str, Any]:
    return reply.model_dump(mode="json")
