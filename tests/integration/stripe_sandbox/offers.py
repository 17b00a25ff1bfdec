"""A plan with what is bought once, and a Checkout session that sells both."""

import time
from collections.abc import Sequence
from typing import Any

import stripe

from tests.integration.stripe_sandbox.conftest import EUR_499
from tests.integration.stripe_sandbox.plans import METADATA, given_a_plan

SUCCESS = "https://app.example/billing?session={CHECKOUT_SESSION_ID}"
CANCEL = "https://app.example/billing?cancelled=1"


async def given_an_offer(client: stripe.StripeClient) -> list[Any]:
    """A monthly plan, an add-on with a price of its own, and one whose price is made on the way."""
    plan = await given_a_plan(client)
    setup = await client.v1.prices.create_async(
        {"product_data": {"name": "AI Setup"}, "currency": "eur", "unit_amount": EUR_499, "metadata": {"slug": "setup"}}
    )
    audit = {"currency": "eur", "unit_amount": 10_000, "product_data": {"name": "Audit", "metadata": {"slug": "audit"}}}
    return [
        {"price": plan.monthly, "quantity": 1},
        {"price": setup.id, "quantity": 1},
        {"price_data": audit, "quantity": 1},
    ]


async def given_a_session(
    client: stripe.StripeClient, *, items: Sequence[Any] | None = None, **more: Any
) -> stripe.checkout.Session:
    """The bundle's session, of a customer without a card."""
    customer = await client.v1.customers.create_async({"email": "olga@example.com", "name": "Olga"})
    wanted: Any = {
        "mode": "subscription",
        "customer": customer.id,
        "allowed_payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "line_items": items or await given_an_offer(client),
        "success_url": SUCCESS,
        "cancel_url": CANCEL,
        "client_reference_id": "ws_1",
        "metadata": METADATA,
        "subscription_data": {"metadata": METADATA},
        "expires_at": int(time.time()) + 1_810,
        **more,
    }
    return await client.v1.checkout.sessions.create_async(wanted)
