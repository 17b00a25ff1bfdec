"""What the API shows of plans: to everyone what they may have and what it costs, to staff also what Stripe has."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from catalog.publisher import plan_state
from catalog.tables import Plan
from chassis.money import major_text
from contracts import PlanPrice
from contracts.plan_facts import Interval

PRICE: Final[dict[str, Any]] = {"interval": "month", "currency": "EUR", "price_cents": 900, "price": "9.00"}
EXAMPLE: Final[dict[str, Any]] = {
    "slug": "builder",
    "name": "Builder",
    "caps": {"byok_keys": 20, "projects": 100, "seats": 10},
    "prices": [PRICE],
}
ADMIN_EXAMPLE: Final = EXAMPLE | {
    "prices": [
        PRICE
        | {
            "stripe_price_id": "price_1SVqA3LkdIwHu7ixB2nWm4Yk",
            "pending_price_cents": 1200,
            "pending_price": "12.00",
        }
    ],
    "stripe_product_id": "quittance-production-builder",
    "sequence": 4,
    "created_at": "2026-03-02T09:12:00.250000Z",
    "updated_at": "2026-03-02T09:20:11.804417Z",
}


class PublicPlanPrice(BaseModel):
    """What a plan costs per interval in one currency."""

    interval: Interval
    currency: str
    price_cents: int = Field(description="Minor units of the currency")
    price: str = Field(description="The same in major units")


class AdminPlanPrice(PublicPlanPrice):
    """The same with Stripe's id, and what is pending: an edited price sells as soon as Stripe has it."""

    stripe_price_id: str | None = Field(description="Null while it is not sold yet: purchases has it made at Stripe")
    pending_price_cents: int | None = Field(
        default=None, description="What it was edited to; the old price sells until this one is at Stripe"
    )
    pending_price: str | None = Field(default=None, description="The same in major units")


class PublicPlan(BaseModel):
    """A plan as everyone sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    slug: str
    name: str
    caps: dict[str, int | None] = Field(description="Resource → how many at most, null for no cap")
    prices: list[PublicPlanPrice]


class PublicPlans(BaseModel):
    """The plans, the free one first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE]}]})

    items: list[PublicPlan]


class AdminPlan(BaseModel):
    """A plan as staff see it; `sequence` counts its changes and is its ETag."""

    model_config = ConfigDict(json_schema_extra={"examples": [ADMIN_EXAMPLE]})

    slug: str
    name: str
    caps: dict[str, int | None]
    prices: list[AdminPlanPrice]
    stripe_product_id: str | None
    sequence: int
    created_at: datetime
    updated_at: datetime


def public_plan(plan: Plan) -> PublicPlan:
    """Return the plan as everyone sees it."""
    now = plan_state(plan)
    return PublicPlan(
        slug=now.plan, name=now.name, caps=dict(now.caps), prices=[_public(price) for price in now.prices]
    )


def admin_plan(plan: Plan) -> AdminPlan:
    """Return the plan as staff see it."""
    now = plan_state(plan)
    return AdminPlan(
        slug=now.plan,
        name=now.name,
        caps=dict(now.caps),
        prices=[_for_staff(price) for price in now.prices],
        stripe_product_id=now.stripe_product_id,
        sequence=now.sequence,
        created_at=plan.created_at,
        updated_at=plan.updated_at,
    )


def _for_staff(price: PlanPrice) -> AdminPlanPrice:
    pending = price.pending_price_cents
    return AdminPlanPrice(
        **dict(_public(price)),
        stripe_price_id=price.stripe_price_id,
        pending_price_cents=pending,
        pending_price=None if pending is None else major_text(pending, price.currency),
    )


def _public(price: PlanPrice) -> PublicPlanPrice:
    return PublicPlanPrice(
        interval=price.interval,
        currency=price.currency,
        price_cents=price.price_cents,
        price=major_text(price.price_cents, price.currency),
    )
