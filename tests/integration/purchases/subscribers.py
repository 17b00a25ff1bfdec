"""Subscribers to the plan in the Stripe sandbox, and what is read of their workspaces."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from contracts import PlanPrice, PlanState
from sandbox.stripe.control import Json
from tests.integration.purchases.harness import INSTANCE, Harness

FREE: Final = {"projects": 1, "seats": 1, "byok_keys": 0}
BUILDER: Final = {"projects": None, "seats": 10, "byok_keys": None}
MONTHLY: Final = 900
LEGACY: Final = "2024-06-20"
VERSIONS: Final = (None, LEGACY)
COLUMNS: Final = (
    "stripe_subscription_id, status, is_extra, stripe_price_id, interval, currency, started_at, current_period_end, "
    "cancel_at_period_end, cancel_at, ended_at, latest_invoice_id"
)


def plan(slug: str, caps: dict[str, int | None], *, prices: tuple[PlanPrice, ...] = ()) -> PlanState:
    return PlanState(plan=slug, sequence=1, occurred_at=datetime.now(UTC), name=slug.title(), caps=caps, prices=prices)


@dataclass(frozen=True, kw_only=True)
class Plans:
    """Stripe's prices of Builder: EUR 9.00 monthly, EUR 89.00 yearly."""

    monthly: str
    yearly: str


async def given_the_plans(harness: Harness) -> Plans:
    """At Stripe, and in our copy of the catalog."""
    product = await harness.client.v1.products.create_async({"name": "Builder"})
    made = [
        await harness.client.v1.prices.create_async(
            {"product": product.id, "currency": "eur", "unit_amount": cents, "recurring": {"interval": interval}}
        )
        for interval, cents in (("month", MONTHLY), ("year", 8_900))
    ]
    prices = (
        PlanPrice(interval="month", currency="EUR", price_cents=MONTHLY, stripe_price_id=made[0].id),
        PlanPrice(interval="year", currency="EUR", price_cents=8_900, stripe_price_id=made[1].id),
    )
    await harness.deliver(plan("free", dict(FREE)), plan("builder", dict(BUILDER), prices=prices))
    return Plans(monthly=made[0].id, yearly=made[1].id)


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """A workspace, its customer, and what it subscribed to."""

    harness: Harness
    workspace_id: str
    customer_id: str
    plans: Plans

    async def subscribe(self, *, price: str | None = None, ours: bool = True, **more: Any) -> str:
        """As Checkout would; `ours`: with our metadata."""
        metadata = {"quittance_instance": INSTANCE, "workspace_id": self.workspace_id} if ours else {}
        wanted: Any = {"customer": self.customer_id, "items": [{"price": price or self.plans.monthly}], **more}
        return (await self.harness.client.v1.subscriptions.create_async(wanted | {"metadata": metadata})).id

    async def plan(self) -> str:
        (row,) = await self.harness.rows("select plan from workspaces where id = :id", id=self.workspace_id)
        return str(row["plan"])

    async def rows(self) -> list[Json]:
        """The stored subscriptions, but for when we heard of what."""
        return await self.harness.rows(
            f"select {COLUMNS} from subscriptions where workspace_id = :id order by started_at, 1", id=self.workspace_id
        )

    async def status(self) -> str:
        (row,) = await self.rows()
        return str(row["status"])

    async def hear(self, *, since: int = 0, version: str | None = None) -> None:
        """Every event since, in order, and everything that follows."""
        await self.harness.deliver(*await self.harness.facts(since=since, version=version))
        await self.harness.settle_everything()

    async def published(self) -> list[tuple[str, Json]]:
        """Facts of the workspace, oldest first: the type's third word, and the body."""
        return await self.harness.workspace_facts(self.workspace_id)


async def given_a_subscriber(harness: Harness, *, card: str | None = "pm_card_visa") -> Subscriber:
    """Who has no subscription yet."""
    plans = await given_the_plans(harness)
    workspace_id = await harness.given_a_workspace(card)
    (row,) = await harness.rows("select stripe_customer_id from workspaces where id = :id", id=workspace_id)
    return Subscriber(harness=harness, workspace_id=workspace_id, customer_id=row["stripe_customer_id"], plans=plans)
