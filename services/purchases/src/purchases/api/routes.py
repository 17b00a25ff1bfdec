"""The public API of purchases."""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from stripe import StripeClient

from chassis.auth import CurrentCaller
from chassis.origins import origin_of
from chassis.problems import Problem
from purchases import refusals
from purchases.api.access import AtDatabase, Buyer, HostProduct, Staff, WorkspaceId
from purchases.api.bodies import PurchaseBody, WorkspaceBody
from purchases.api.replies import (
    AdminPurchaseReply,
    OffersReply,
    PurchaseReply,
    PurchasesReply,
    WorkspaceReply,
    admin_purchase_reply,
    offers_reply,
    purchase_reply,
    purchases_reply,
    workspace_reply,
)
from purchases.handlers.buy import Bought, Order, Outcome, buy
from purchases.handlers.deliver import deliver
from purchases.handlers.offer_addons import offer_addons
from purchases.handlers.register_workspace import Registration, register_workspace
from purchases.settings import Settings
from purchases.store import ledger

router = APIRouter(prefix="/v1")


async def client_of(request: Request) -> StripeClient:
    """Stripe's client, as `main` built it."""
    client: StripeClient = request.app.state.stripe
    return client


async def settings_of(request: Request) -> Settings:
    """The settings, as `main` read them."""
    settings: Settings = request.app.state.settings
    return settings


Stripe = Annotated[StripeClient, Depends(client_of)]
Told = Annotated[Settings, Depends(settings_of)]
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")
]


@router.put("/workspaces/{ws}", operation_id="putWorkspace", tags=["workspaces"])
async def put_workspace(
    ws: WorkspaceId, body: WorkspaceBody, _: HostProduct, database: AtDatabase, client: Stripe, settings: Told
) -> WorkspaceReply:
    """Register or update a workspace of the host product (scope `workspaces:write`)."""
    registration = Registration(
        workspace_id=ws,
        name=body.name,
        owner_user_id=body.owner.user_id,
        owner_email=body.owner.email,
        stripe_customer_id=body.stripe_customer_id,
    )
    workspace = await register_workspace(
        database=database, client=client, instance=settings.quittance_instance, registration=registration
    )
    return workspace_reply(workspace)


@router.get("/workspaces/{ws}/addons", operation_id="listWorkspaceAddons", tags=["purchases"])
async def list_workspace_addons(workspace: Buyer, database: AtDatabase) -> OffersReply:
    """The add-ons for sale, whether each can be bought now, and why not."""
    async with database.reading() as session:
        return offers_reply(await offer_addons(session=session, workspace_id=workspace.id))


@router.get("/workspaces/{ws}/purchases", operation_id="listPurchases", tags=["purchases"])
async def list_purchases(workspace: Buyer, database: AtDatabase) -> PurchasesReply:
    """The workspace's purchases, newest first."""
    async with database.reading() as session:
        return purchases_reply(await ledger.of_workspace(session, workspace.id))


@router.post(
    "/workspaces/{ws}/purchases",
    operation_id="buyAddon",
    tags=["purchases"],
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


@router.get("/workspaces/{ws}/purchases/{purchase_id}", operation_id="getPurchase", tags=["purchases"])
async def get_purchase(workspace: Buyer, purchase_id: UUID, database: AtDatabase) -> PurchaseReply:
    """One purchase of this workspace; the front-end polls it while the bank asks the buyer."""
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id, workspace_id=workspace.id)
    if purchase is None:
        raise refusals.purchase_not_found()
    return purchase_reply(purchase)


@router.get("/admin/purchases/{purchase_id}", operation_id="getPurchaseForStaff", tags=["staff"])
async def get_purchase_for_staff(purchase_id: UUID, _: Staff, database: AtDatabase) -> AdminPurchaseReply:
    """One purchase with its history and Stripe's ids."""
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id)
        if purchase is None:
            raise refusals.purchase_not_found()
        return admin_purchase_reply(purchase, await ledger.history(session, purchase_id))


@router.post("/admin/purchases/{purchase_id}/deliver", operation_id="deliverPurchase", tags=["staff"])
async def deliver_purchase(purchase_id: UUID, caller: Staff, database: AtDatabase) -> PurchaseReply:
    """Mark the work as complete."""
    async with database.transaction() as session:
        purchase = await deliver(session=session, purchase_id=purchase_id, actor=f"staff:{caller.subject}")
        return purchase_reply(purchase)


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


def _return_url(wanted: str | None, workspace_id: str, settings: Settings) -> str:
    """Only our own pages and allowed origins: a foreign one would make us a redirector."""
    own = f"{settings.public_base_url.rstrip('/')}/app/{quote(workspace_id, safe='')}/billing/addons"
    if wanted is None:
        return own
    allowed = {origin_of(settings.public_base_url), *settings.allowed_return_origins}
    if origin_of(wanted) not in allowed or origin_of(wanted) is None:
        raise Problem(422, "return-url-not-allowed", "This return URL is not on an allowed origin")
    return wanted
