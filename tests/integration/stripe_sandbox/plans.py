"""A plan with a monthly and a yearly price, subscribers to it, and what a test reads of them."""

from dataclasses import dataclass
from typing import Any

import stripe

from sandbox.stripe.control import Json, StripeControl
from tests.integration.stripe_sandbox.conftest import Buyer, buyer_with

MONTHLY, YEARLY = 900, 8_900
METADATA = {"quittance_instance": "local", "workspace_id": "ws_1"}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Price ids of one product."""

    monthly: str
    yearly: str


async def given_a_plan(client: stripe.StripeClient, *, currency: str = "eur") -> Plan:
    """EUR 9.00 monthly, EUR 89.00 yearly."""
    product = await client.v1.products.create_async({"name": "Builder"})
    prices = [
        await client.v1.prices.create_async(
            {
                "product": product.id,
                "currency": currency,
                "unit_amount": amount,
                "recurring": {"interval": interval},
                "lookup_key": f"quittance:local:builder:{interval}:{currency}",
                "transfer_lookup_key": True,
            }
        )
        for interval, amount in (("month", MONTHLY), ("year", YEARLY))
    ]
    return Plan(monthly=prices[0].id, yearly=prices[1].id)


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """A customer with a subscription."""

    buyer: Buyer
    id: str
    plan: Plan
    control: StripeControl

    async def now(self) -> Json:
        """The subscription as it is, in the shape of today."""
        found = await self.buyer.api.subscriptions.retrieve_async(self.id, {"expand": ["latest_invoice"]})
        return dict(found.to_dict())

    async def status(self) -> str:
        return str((await self.now())["status"])

    async def latest_invoice(self) -> Json:
        return dict((await self.now())["latest_invoice"])

    async def update(self, changes: Any) -> stripe.Subscription:
        return await self.buyer.api.subscriptions.update_async(self.id, changes)

    async def switch(self, price: str, *, behaviour: str = "always_invoice") -> stripe.Subscription:
        """Another price for its only item."""
        item = (await self.now())["items"]["data"][0]["id"]
        return await self.update({"items": [{"id": item, "price": price}], "proration_behavior": behaviour})


async def given_a_subscriber(
    client: stripe.StripeClient, control: StripeControl, *, card: str = "pm_card_visa", **more: Any
) -> Subscriber:
    """Subscribed to the monthly price with the customer's default card."""
    buyer, plan = await buyer_with(card, client=client), await given_a_plan(client)
    wanted: Any = {"customer": buyer.customer, "items": [{"price": plan.monthly}], "metadata": METADATA, **more}
    made = await client.v1.subscriptions.create_async(wanted)
    return Subscriber(buyer=buyer, id=made.id, plan=plan, control=control)


def period_end(subscription: Json) -> int:
    """The end of the current period, in the shape since basil."""
    return int(subscription["items"]["data"][0]["current_period_end"])


async def sent(control: StripeControl, *kinds: str) -> list[Json]:
    """The events whose types begin with one of `kinds`, oldest first."""
    return [event for event in await control.events() if event["type"].startswith(kinds)]
