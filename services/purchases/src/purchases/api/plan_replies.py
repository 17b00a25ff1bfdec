"""What a workspace's people get of its plan: status, caps, usage, prices; and the slots that were claimed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from chassis.cursors import NextCursor
from chassis.money import major_text
from purchases.domain.plan import Usage
from purchases.handlers.plan.read_billing import Billing
from purchases.store.rows import Plan, WorkspaceResource

MONTHLY: Final[JsonDict] = {"interval": "month", "currency": "EUR", "price_cents": 900, "price": "9.00"}
SEATS: Final[JsonDict] = {"resource": "seats", "used": 3, "limit": 10, "over_cap": False, "frozen": False}
PROJECTS: Final[JsonDict] = {"resource": "projects", "used": 12, "over_cap": False, "frozen": False}
SLOT: Final[JsonDict] = {
    "resource": "projects",
    "id": "project-1",
    "imported": False,
    "claimed_at": "2026-03-02T09:12:00.250000Z",
}
BILLING: Final[JsonDict] = {
    "workspace_id": "ws-acme",
    "plan": {"slug": "builder", "name": "Builder", "caps": {"projects": None, "seats": 10}},
    "subscription": {
        "status": "active",
        "interval": "month",
        "currency": "EUR",
        "current_period_end": "2026-04-02T09:12:00Z",
        "cancel_at_period_end": False,
    },
    "past_due": False,
    "usage": [PROJECTS, SEATS],
    "prices": [MONTHLY],
    "support_email": "support@quittance.example",
}


class PlanReply(BaseModel):
    """A plan and its caps."""

    slug: str
    name: str
    caps: dict[str, int | None] = Field(description="Resource → how many at most, null for no cap")


class SubscriptionReply(BaseModel):
    """The subscription that pays for the plan, or the last one that did."""

    status: str = Field(description="Stripe's own word")
    interval: str | None = None
    currency: str | None = None
    current_period_end: datetime | None = None
    cancel_at_period_end: bool
    ends_at: datetime | None = Field(default=None, description="When it is going to end, or did")


class UsageReply(BaseModel):
    """How much of a resource is in use."""

    resource: str
    used: int
    limit: int | None = Field(default=None, description="Null for no cap")
    over_cap: bool = Field(description="More than the plan allows: nothing is deleted, nothing can be added")
    frozen: bool = Field(description="The plan allows none: kept, and not usable")


class PriceReply(BaseModel):
    """What the paid plan costs per interval in one currency."""

    interval: str
    currency: str
    price_cents: int = Field(description="Minor units of the currency")
    price: str = Field(description="Major units")


class BillingReply(BaseModel):
    """A workspace's plan as it is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [BILLING]})

    workspace_id: str
    plan: PlanReply
    subscription: SubscriptionReply | None = None
    past_due: bool = Field(description="A renewal could not be charged: the owner should change the card")
    usage: list[UsageReply]
    prices: list[PriceReply] = Field(description="Of the plan that can be subscribed to")
    support_email: str


class SlotReply(BaseModel):
    """A claimed slot."""

    model_config = ConfigDict(json_schema_extra={"examples": [SLOT]})

    resource: str
    id: str
    imported: bool = Field(description="It was there before, and counts even over the cap")
    claimed_at: datetime


class SlotsReply(BaseModel):
    """A page of a workspace's slots, by resource and id."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"resources": [SLOT]}]})

    resources: list[SlotReply]
    next_cursor: NextCursor = None


def billing_reply(billing: Billing, *, support_email: str) -> BillingReply:
    """The page's facts."""
    return BillingReply(
        workspace_id=billing.workspace.id,
        plan=PlanReply(slug=billing.plan.slug, name=billing.plan.name, caps=billing.plan.caps),
        subscription=_subscription(billing),
        past_due=billing.is_past_due,
        usage=[_usage(one) for one in billing.usage],
        prices=_prices(billing.on_offer),
        support_email=support_email,
    )


def slot_reply(slot: WorkspaceResource) -> SlotReply:
    """One slot."""
    return SlotReply(resource=slot.resource, id=slot.resource_id, imported=slot.imported, claimed_at=slot.claimed_at)


def _subscription(billing: Billing) -> SubscriptionReply | None:
    row = billing.subscription
    if row is None:
        return None
    ends_at = row.ended_at or row.cancel_at or (row.current_period_end if row.cancel_at_period_end else None)
    return SubscriptionReply(
        status=row.status,
        interval=row.interval,
        currency=row.currency,
        current_period_end=row.current_period_end,
        cancel_at_period_end=row.cancel_at_period_end,
        ends_at=ends_at,
    )


def _usage(usage: Usage) -> UsageReply:
    return UsageReply(
        resource=usage.resource, used=usage.used, limit=usage.limit, over_cap=usage.over_cap, frozen=usage.frozen
    )


def _prices(plan: Plan | None) -> list[PriceReply]:
    prices: Sequence[dict[str, Any]] = plan.prices if plan else []
    return [
        PriceReply(
            interval=one["interval"],
            currency=one["currency"],
            price_cents=one["price_cents"],
            price=major_text(one["price_cents"], one["currency"]),
        )
        for one in prices
    ]
