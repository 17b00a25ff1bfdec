"""What a workspace's owner and admins see, buy and cancel."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from chassis.problems import Problem
from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit
from chassis.web.openapi import UNREADABLE, Responses
from purchases.buying.buy import Bought, Outcome, payment_method_missing
from purchases.buying.card_testing import Brake, too_many_declines
from purchases.buying.offer_addons import offer_addons
from purchases.catalog_copy.availability import addon_inactive, addon_not_found, price_changed
from purchases.customers.usable_customer import stripe_refused, stripe_unavailable
from purchases.ledger import problems
from purchases.ledger.problems import already_purchased, settling
from purchases.ledger.search import PurchaseQuery
from purchases.ledger.transitions import Status
from purchases.moves.cancel import Cancellation, cancel
from purchases.moves.move_by_hand import illegal_move
from purchases.settings import Settings
from purchases.stripe_budgets.problems import too_many_requests
from purchases.web.access import AtDatabase, Buyer
from purchases.web.bodies import CancelBody, PurchaseBody
from purchases.web.budget import SpendingBuyer
from purchases.web.reading import read_purchase
from purchases.web.replies.examples import ADDON_ROW, CANCELLED_TWICE, FAILED_ROW, NOW, PAID_ROW, PURCHASE
from purchases.web.replies.purchase_replies import (
    OffersReply,
    PurchaseReply,
    PurchasesReply,
    offer_reply,
    purchase_reply,
)
from purchases.web.requests import IdempotencyKey, SettingsOfApp, allowed_url, own_page, return_url_not_allowed
from purchases.web.responses import CHECKOUT_IN_THE_WAY, of_buyers
from purchases.web.searching import page_of
from purchases.web.stripe_requests import AtStripe, buy_with_saved_card

router = APIRouter(prefix="/v1/workspaces/{ws}", tags=["purchases"])

ALSO_BOUGHT: Final[Responses] = {
    200: {"model": PurchaseReply, "description": "A repeated Idempotency-Key: the purchase as it is now"},
    202: {"model": PurchaseReply, "description": "Unknown yet: it stays pending and settles itself"},
}


def payment_declined(*, purchase: Mapping[str, Any], decline_code: str | None) -> Problem:
    """Return the 402 for a card whose bank said no; `purchase` as it is answered, failed."""
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
    problems.recovering(),
)
NOT_CANCELLED = of_buyers(
    *UNREADABLE,
    problems.purchase_not_found(),
    illegal_move(CANCELLED_TWICE),
    problems.status_changed(Status.PAID),
    problems.payment_in_progress(),
    *CHECKOUT_IN_THE_WAY,
)


@router.get("/addons", operation_id="list_workspace_addons", responses=of_buyers())
async def list_workspace_addons(workspace: Buyer, database: AtDatabase, settings: SettingsOfApp) -> OffersReply:
    """The add-ons for sale, whether each can be bought now, and why not."""
    async with database.reading() as session:
        brake = Brake(settings.brake_declines)
        offers = await offer_addons(session=session, workspace_id=workspace.id, brake=brake)
    return OffersReply(addons=[offer_reply(offer) for offer in offers])


@router.get("/purchases", operation_id="list_purchases", responses=of_buyers(InvalidCursor()))
async def list_purchases(
    workspace: Buyer, database: AtDatabase, limit: Limit = PAGE, cursor: Cursor = None
) -> PurchasesReply:
    """The workspace's purchases, newest first."""
    async with database.reading() as session:
        found, next_cursor = await page_of(
            session, PurchaseQuery(workspace_id=workspace.id), limit=limit, cursor=cursor
        )
    return PurchasesReply(purchases=[purchase_reply(purchase) for purchase in found], next_cursor=next_cursor)


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
    at: AtStripe,
    response: Response,
) -> PurchaseReply:
    """Buy one add-on with the saved card, at the price that the buyer saw."""
    bought = await buy_with_saved_card(
        at,
        workspace_id=workspace.id,
        addon=body.addon,
        price_cents=body.expected_price_cents,
        currency=body.expected_currency,
        return_url=_return_url(body.return_url, workspace.id, at.settings),
        key=key,
    )
    return _answer(bought, response)


@router.get("/purchases/{purchase_id}", operation_id="get_purchase", responses=of_buyers(problems.purchase_not_found()))
async def get_purchase(workspace: Buyer, purchase_id: UUID, database: AtDatabase) -> PurchaseReply:
    """One purchase of this workspace; the front-end polls it while the bank asks the buyer."""
    return purchase_reply(await read_purchase(database, workspace.id, purchase_id))


@router.post("/purchases/{purchase_id}/cancel", operation_id="cancel_purchase", responses=NOT_CANCELLED)
async def cancel_purchase(
    workspace: SpendingBuyer, purchase_id: UUID, at: AtStripe, body: CancelBody | None = None
) -> PurchaseReply:
    """Cancel it before delivery. Paid money is not refunded by this: our team decides, and is mailed."""
    cancellation = Cancellation(
        purchase_id=purchase_id,
        workspace_id=workspace.id,
        actor=at.actor,
        reason=body.reason if body else None,
        expected=body.expected_status if body else None,
    )
    return purchase_reply(await cancel(database=at.database, client=at.client, cancellation=cancellation))


def _return_url(url: str | None, workspace_id: str, settings: Settings) -> str:
    return own_page(settings, workspace_id, "billing/addons") if url is None else allowed_url(url, settings)


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
