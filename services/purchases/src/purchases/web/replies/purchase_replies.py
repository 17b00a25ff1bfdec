"""What the host product and a workspace's people get."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis.money import major_text
from chassis.web.cursors import NextCursor
from purchases.buying.offer_addons import Offer
from purchases.ledger.publish import (
    paid_by_credit_cents,
    paid_outside_stripe_cents,
    refunded_cents,
    returned_cents,
    returning_cents,
)
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.web.replies.examples import NEXT_CURSOR, OFFER, PURCHASE, WORKSPACE
from purchases.workspaces.rows import Workspace

WaitingFor = Literal["bank", "customer"]


class OwnerReply(BaseModel):
    """The paying operator."""

    user_id: str
    email: str


class WorkspaceReply(BaseModel):
    """A registered workspace."""

    model_config = ConfigDict(json_schema_extra={"examples": [WORKSPACE]})

    id: str
    name: str
    owner: OwnerReply
    stripe_customer_id: str | None = Field(default=None, description="Null until Stripe has answered")


class AddonReply(BaseModel):
    """The add-on as it was sold."""

    id: UUID
    slug: str
    name: str


class PurchaseReply(BaseModel):
    """A purchase as it is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [PURCHASE]})

    id: UUID
    workspace_id: str
    addon: AddonReply
    price: str = Field(description="Major units")
    price_cents: int = Field(description="Minor units of the currency")
    currency: str
    status: Status
    action_url: str | None = Field(default=None, description="Where the bank wants the buyer, while it is pending")
    waiting_for: WaitingFor | None = Field(
        default=None,
        description="Whom it waits for, while it is pending: `customer` has a step to take at `action_url`; "
        "`bank` is at work on a debit, which takes days and cannot be cancelled meanwhile",
    )
    failure_code: str | None = Field(default=None, description="Stripe's decline code")
    paid_cents: int | None = Field(default=None, description="What was paid for it: its price less discount, plus tax")
    paid_by_credit_cents: int = Field(description="What of it the customer's credit balance at Stripe paid")
    paid_outside_stripe_cents: int = Field(
        description="What of it was paid outside of Stripe, as staff says: that cannot be sent back through Stripe"
    )
    refunded_cents: int = Field(description="What of it went back, to the payment method or to the credit balance")
    returned_cents: int = Field(
        description="What came though there was nothing to pay, as for a purchase that was over, and went back"
    )
    returning_cents: int = Field(description="What came so and has not gone back yet: it goes back by itself")
    started_at: datetime
    paid_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    cancelled_at: datetime | None = None
    refunded_at: datetime | None = None


class PurchasesReply(BaseModel):
    """A page of a workspace's purchases, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"purchases": [PURCHASE], "next_cursor": NEXT_CURSOR}]})

    purchases: list[PurchaseReply]
    next_cursor: NextCursor = None


class OfferReply(BaseModel):
    """An add-on that is for sale, and whether it can be bought now."""

    id: UUID
    slug: str
    name: str
    description: str | None = None
    bullets: list[str]
    price: str = Field(description="Major units")
    price_cents: int = Field(description="Minor units of the currency")
    currency: str
    can_be_bought: bool
    cannot_buy_because: str | None = Field(default=None, description="The problem type that buying it would meet")
    purchase_id: UUID | None = Field(default=None, description="The purchase that is in the way")


class OffersReply(BaseModel):
    """Sorted as the catalog sorts them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"addons": [OFFER]}]})

    addons: list[OfferReply]


def workspace_reply(workspace: Workspace) -> WorkspaceReply:
    return WorkspaceReply(
        id=workspace.id,
        name=workspace.name,
        owner=OwnerReply(user_id=workspace.owner_user_id, email=workspace.owner_email),
        stripe_customer_id=workspace.stripe_customer_id,
    )


def purchase_reply(purchase: Purchase) -> PurchaseReply:
    return PurchaseReply.model_validate(members_of(purchase))


def offer_reply(offer: Offer) -> OfferReply:
    addon = offer.addon
    return OfferReply(
        id=addon.id,
        slug=addon.slug,
        name=addon.name,
        description=addon.description,
        bullets=addon.bullets,
        price=major_text(addon.price_cents, addon.currency),
        price_cents=addon.price_cents,
        currency=addon.currency,
        can_be_bought=offer.refusal is None,
        cannot_buy_because=offer.refusal,
        purchase_id=offer.holder.id if offer.holder else None,
    )


def members_of(purchase: Purchase) -> dict[str, Any]:
    """Return what a PurchaseReply has of this row."""
    columns = {name: getattr(purchase, name) for name in PurchaseReply.model_fields if hasattr(Purchase, name)}
    return columns | {
        "addon": {"id": purchase.plan_addon_id, "slug": purchase.addon_slug, "name": purchase.addon_name},
        "price": major_text(purchase.price_cents, purchase.currency),
        "paid_by_credit_cents": paid_by_credit_cents(purchase),
        "paid_outside_stripe_cents": paid_outside_stripe_cents(purchase),
        "refunded_cents": refunded_cents(purchase),
        "returned_cents": returned_cents(purchase),
        "returning_cents": returning_cents(purchase),
        "waiting_for": purchase.waiting_for or ("customer" if purchase.action_url else None),
    }
