"""What a workspace's people get of its plan: status, caps, usage, prices; and the slots that were claimed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from chassis.money import major_text
from chassis.web.cursors import NextCursor
from purchases.caps.read_billing import Billing
from purchases.caps.rows import WorkspaceResource
from purchases.catalog_copy.rows import Plan
from purchases.subscriptions.plan import Usage
from purchases.subscriptions.rows import Subscription

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
    "next_charge": {
        "state": "known",
        "at": "2026-04-02T10:12:00Z",
        "amount_cents": 900,
        "currency": "EUR",
        "amount": "9.00",
        "collection_method": "charge_automatically",
        "as_of": "2026-03-02T09:12:01.500000Z",
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


class NextChargeReply(BaseModel):
    """What is charged next for the plan, by Stripe's own preview; it follows each change of the subscription."""

    state: Literal["known", "none", "unknown"] = Field(description="`unknown`: not heard since a change")
    at: datetime | None = Field(default=None, description="When it is charged, or its invoice sent")
    amount_cents: int | None = Field(default=None, description="Minor units of the currency, as things stand")
    currency: str | None = None
    amount: str | None = Field(default=None, description="Major units")
    collection_method: str | None = Field(
        default=None, description="`charge_automatically`, or `send_invoice`: an invoice is sent, nothing is charged"
    )
    none_because: str | None = Field(
        default=None,
        description="`no-subscription`, `ended`, `ends`, `paused`, `unpaid`, `not-paid-yet` or `nothing-due`",
    )
    resumes_at: datetime | None = Field(default=None, description="When a pause ends by itself")
    as_of: datetime | None = Field(default=None, description="When Stripe was asked")


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
    next_charge: NextChargeReply
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
    """Return a workspace's plan as it is now."""
    return BillingReply(
        workspace_id=billing.workspace.id,
        plan=PlanReply(slug=billing.plan.slug, name=billing.plan.name, caps=billing.plan.caps),
        subscription=_subscription(billing),
        next_charge=_next_charge(billing.subscription),
        past_due=billing.is_past_due,
        usage=[_usage(usage) for usage in billing.usage],
        prices=_prices(billing.on_offer),
        support_email=support_email,
    )


def slot_reply(slot: WorkspaceResource) -> SlotReply:
    """Return one slot."""
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


def _next_charge(row: Subscription | None) -> NextChargeReply:
    """Return what is charged next; `unknown` where that is in the past by now, since nobody knows what comes then."""
    if row is None:
        return NextChargeReply(state="none", none_because="no-subscription")
    is_over = row.next_charge_at is not None and row.next_charge_at < datetime.now(UTC)
    if row.next_charge_as_of is None or is_over:
        return NextChargeReply(state="unknown", collection_method=row.collection_method)
    if row.next_charge_none is not None:
        return NextChargeReply(
            state="none",
            none_because=row.next_charge_none,
            resumes_at=row.pause_resumes_at,
            as_of=row.next_charge_as_of,
        )
    cents, currency = row.next_charge_cents or 0, str(row.next_charge_currency)
    return NextChargeReply(
        state="known",
        at=row.next_charge_at,
        amount_cents=cents,
        currency=currency,
        amount=major_text(cents, currency),
        collection_method=row.collection_method,
        as_of=row.next_charge_as_of,
    )


def _usage(usage: Usage) -> UsageReply:
    return UsageReply(
        resource=usage.resource, used=usage.used, limit=usage.limit, over_cap=usage.over_cap, frozen=usage.frozen
    )


def _prices(plan: Plan | None) -> list[PriceReply]:
    prices: Sequence[dict[str, Any]] = plan.prices if plan else []
    return [
        PriceReply(
            interval=price["interval"],
            currency=price["currency"],
            price_cents=price["price_cents"],
            price=major_text(price["price_cents"], price["currency"]),
        )
        for price in prices
    ]
