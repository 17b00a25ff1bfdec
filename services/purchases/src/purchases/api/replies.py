"""What clients get."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from chassis.money import major_text
from purchases.handlers.offer_addons import Offer
from purchases.publisher import refunded_cents
from purchases.store.rows import Purchase, Transition, Workspace


class WorkspaceReply(BaseModel):
    """A registered workspace."""

    id: str
    name: str
    owner: dict[str, str]
    stripe_customer_id: str | None


class AddonReply(BaseModel):
    """The add-on as it was sold."""

    id: UUID
    slug: str
    name: str


class PurchaseReply(BaseModel):
    """A purchase as it is now. `price_cents` in minor units of `currency`."""

    id: UUID
    workspace_id: str
    addon: AddonReply
    price: str
    price_cents: int
    currency: str
    status: str
    action_url: str | None
    """Where the bank wants the buyer, while the purchase is pending."""
    failure_code: str | None
    paid_cents: int | None
    refunded_cents: int
    started_at: datetime
    paid_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None
    cancelled_at: datetime | None
    refunded_at: datetime | None


class PurchasesReply(BaseModel):
    """Newest first."""

    purchases: list[PurchaseReply]


class TransitionReply(BaseModel):
    """One line of the history."""

    sequence: int
    from_status: str | None
    to_status: str
    trigger: str
    stale: bool
    actor: str
    stripe_event_id: str | None
    reason: str | None
    at: datetime


class RefundReply(BaseModel):
    """One refund; without Stripe's id while it is only requested."""

    stripe_refund_id: str | None
    kind: str
    refund_cents: int
    currency: str
    status: str
    recorded_at: datetime


class AdminPurchaseReply(PurchaseReply):
    """With what staff needs: history, money, Stripe's ids."""

    bought_by: str
    sequence: int
    payable: bool
    stripe_customer_id: str | None
    stripe_invoice_id: str | None
    stripe_payment_intent_id: str | None
    stripe_charge_id: str | None
    history: list[TransitionReply]
    refunds: list[RefundReply]


class OfferReply(BaseModel):
    """An add-on that is for sale; `cannot_buy_because` is the problem type that buying it would meet."""

    id: UUID
    slug: str
    name: str
    description: str | None
    bullets: list[str]
    price: str
    price_cents: int
    currency: str
    can_be_bought: bool
    cannot_buy_because: str | None
    purchase_id: UUID | None


class OffersReply(BaseModel):
    """Sorted as the catalog sorts them."""

    addons: list[OfferReply]


def workspace_reply(workspace: Workspace) -> WorkspaceReply:
    return WorkspaceReply(
        id=workspace.id,
        name=workspace.name,
        owner={"user_id": workspace.owner_user_id, "email": workspace.owner_email},
        stripe_customer_id=workspace.stripe_customer_id,
    )


def purchase_reply(purchase: Purchase) -> PurchaseReply:
    return PurchaseReply.model_validate(_members(purchase))


def purchases_reply(purchases: Sequence[Purchase]) -> PurchasesReply:
    return PurchasesReply(purchases=[purchase_reply(purchase) for purchase in purchases])


def admin_purchase_reply(purchase: Purchase, history: Sequence[Transition]) -> AdminPurchaseReply:
    ledger = {name: getattr(purchase, name) for name in AdminPurchaseReply.model_fields if hasattr(Purchase, name)}
    lines = [{name: getattr(line, name) for name in TransitionReply.model_fields} for line in history]
    refunds = [{name: getattr(one, name) for name in RefundReply.model_fields} for one in purchase.refunds]
    return AdminPurchaseReply.model_validate(ledger | _members(purchase) | {"history": lines, "refunds": refunds})


def offers_reply(offers: Sequence[Offer]) -> OffersReply:
    return OffersReply(addons=[_offer(offer) for offer in offers])


def _offer(offer: Offer) -> OfferReply:
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
        can_be_bought=offer.holder is None,
        cannot_buy_because=offer.refusal,
        purchase_id=offer.holder.id if offer.holder else None,
    )


def _members(purchase: Purchase) -> dict[str, Any]:
    columns = {name: getattr(purchase, name) for name in PurchaseReply.model_fields if hasattr(Purchase, name)}
    return columns | {
        "addon": {"id": purchase.plan_addon_id, "slug": purchase.addon_slug, "name": purchase.addon_name},
        "price": major_text(purchase.price_cents, purchase.currency),
        "refunded_cents": refunded_cents(purchase),
    }
