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
    "prices": [PRICE | {"stripe_price_id": "price_1SVqA3LkdIwHu7ixB2nWm4Yk"}],
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
    """The same with Stripe's id, empty until `bootstrap-stripe` ran for this price."""

    stripe_price_id: str | None


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
    """The plan as everyone sees it."""
    now = plan_state(plan)
    return PublicPlan(slug=now.plan, name=now.name, caps=dict(now.caps), prices=[_public(one) for one in now.prices])


def admin_plan(plan: Plan) -> AdminPlan:
    """The plan as staff see it."""
    now = plan_state(plan)
    return AdminPlan(
        slug=now.plan,
        name=now.name,
        caps=dict(now.caps),
        prices=[AdminPlanPrice(**dict(_public(one)), stripe_price_id=one.stripe_price_id) for one in now.prices],
        stripe_product_id=now.stripe_product_id,
        sequence=now.sequence,
        created_at=plan.created_at,
        updated_at=plan.updated_at,
    )


def _public(price: PlanPrice) -> PublicPlanPrice:
    return PublicPlanPrice(
        interval=price.interval,
        currency=price.currency,
        price_cents=price.price_cents,
        price=major_text(price.price_cents, price.currency),
    )
