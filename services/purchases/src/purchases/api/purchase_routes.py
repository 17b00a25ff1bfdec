"""What a workspace's owner and admins see and buy."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from chassis.auth import CurrentCaller
from chassis.problems import Problem
from purchases import refusals
from purchases.api.access import AtDatabase, Buyer
from purchases.api.bodies import PurchaseBody
from purchases.api.replies import (
    OffersReply,
    PurchaseReply,
    PurchasesReply,
    offers_reply,
    purchase_reply,
    purchases_reply,
)
from purchases.api.requests import IdempotencyKey, Stripe, Told, allowed_url, own_page
from purchases.handlers.buy import Bought, Order, Outcome, buy
from purchases.handlers.offer_addons import offer_addons
from purchases.settings import Settings
from purchases.store import ledger

router = APIRouter(prefix="/workspaces/{ws}", tags=["purchases"])


@router.get("/addons", operation_id="listWorkspaceAddons")
async def list_workspace_addons(workspace: Buyer, database: AtDatabase) -> OffersReply:
    """The add-ons for sale, whether each can be bought now, and why not."""
    async with database.reading() as session:
        return offers_reply(await offer_addons(session=session, workspace_id=workspace.id))


@router.get("/purchases", operation_id="listPurchases")
async def list_purchases(workspace: Buyer, database: AtDatabase) -> PurchasesReply:
    """The workspace's purchases, newest first."""
    async with database.reading() as session:
        return purchases_reply(await ledger.of_workspace(session, workspace.id))


@router.post(
    "/purchases",
    operation_id="buyAddon",
    status_code=201,
    responses={
        200: {"model": PurchaseReply, "description": "A repeated Idempotency-Key: the purchase as it is now"},
        202: {"model": PurchaseReply, "description": "Unknown yet: it stays pending and settles itself"},
    },
)
async def buy_addon(
    workspace: Buyer,
    body: PurchaseBody,
    key: IdempotencyKey,
    caller: CurrentCaller,
    database: AtDatabase,
    client: Stripe,
    settings: Told,
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
    bought = await buy(
        database=database,
        client=client,
        instance=settings.quittance_instance,
        lease=timedelta(seconds=settings.purchase_lease_seconds),
        order=order,
    )
    return _answer(bought, response)


@router.get("/purchases/{purchase_id}", operation_id="getPurchase")
async def get_purchase(workspace: Buyer, purchase_id: UUID, database: AtDatabase) -> PurchaseReply:
    """One purchase of this workspace; the front-end polls it while the bank asks the buyer."""
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id, workspace_id=workspace.id)
    if purchase is None:
        raise refusals.purchase_not_found()
    return purchase_reply(purchase)


def _return_url(wanted: str | None, workspace_id: str, settings: Settings) -> str:
    return own_page(settings, workspace_id, "billing/addons") if wanted is None else allowed_url(wanted, settings)


def _answer(bought: Bought, response: Response) -> PurchaseReply:
    reply = purchase_reply(bought.purchase)
    match bought.outcome:
        case Outcome.DECLINED:
            raise _refused(402, "payment-declined", "The card was declined", reply, decline_code=reply.failure_code)
        case Outcome.REFUSED:
            raise _refused(502, "stripe-refused", "The payment provider refused the request", reply)
        case Outcome.REPEATED:
            response.status_code = 200
        case Outcome.UNKNOWN:
            response.status_code = 202
    return reply


def _refused(status: int, slug: str, title: str, reply: PurchaseReply, **extra: Any) -> Problem:
    return Problem(status, slug, title, "Nothing was charged.", purchase=reply.model_dump(mode="json"), **extra)
