"""`bootstrap-stripe`: makes or finds at Stripe what the product needs there, says what it did, and can be repeated."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from stripe import StripeClient

from catalog import store
from catalog.handlers.plans import store_stripe_ids
from catalog.publisher import plan_state
from catalog.stripe_setup.plan_prices import Say, provision_plan
from catalog.stripe_setup.portal import provision_portal
from catalog.stripe_setup.webhook import KeepSecret, provision_webhook
from chassis.database.database import Database, plain_connection
from contracts import PlanState

LOCK: Final = "quittance-bootstrap-stripe"
POLL_SECONDS: Final = 0.5


class NoPlans(Exception):  # noqa: N818 - named for what it says
    """The catalog is empty: it was not seeded."""

    def __init__(self) -> None:
        super().__init__("there are no plans yet: run `python -m catalog seed` first")


async def bootstrap_stripe(
    *,
    database: Database,
    client: StripeClient,
    instance: str,
    webhook_url: str | None,
    keep_secret: KeepSecret,
    say: Say,
) -> None:
    """Provide products and prices of the plans, the portal's configurations, then the webhook endpoint.

    Raises NoPlans, and what Stripe's client raises.

    One runs at a time: of two, the later one finds what the other made, and there is one signing secret.
    """
    async with _one_at_a_time(database, say):
        products = await _bootstrap_plans(database, client, instance, say)
        await provision_portal(client=client, instance=instance, products=products, say=say)
        if webhook_url:
            await provision_webhook(client=client, url=webhook_url, instance=instance, keep_secret=keep_secret, say=say)
        else:
            say("webhook: left alone, since neither --webhook-url nor STRIPE_WEBHOOK_URL names its address")


@asynccontextmanager
async def _one_at_a_time(database: Database, say: Say) -> AsyncIterator[None]:
    """Wait until no other one works on this catalog. A lock of the session: one that died is waited for no longer."""
    async with plain_connection(database.url, name="bootstrap-stripe") as connection:
        waiting = False
        while not await connection.fetchval("select pg_try_advisory_lock(hashtext($1))", LOCK):
            if not waiting:
                say("another bootstrap-stripe is at work: waiting for it")
            waiting = True
            await asyncio.sleep(POLL_SECONDS)
        yield


async def _bootstrap_plans(database: Database, client: StripeClient, instance: str, say: Say) -> dict[str, list[str]]:
    """Provide the plans' products and prices; return the price ids by product.

    No transaction is held across a call: what was made is stored after it, where the plan still costs that.
    """
    products: dict[str, list[str]] = {}
    for plan in await _priced_plans(database):
        product, prices = await provision_plan(client=client, plan=plan, instance=instance, say=say)
        async with database.transaction() as session:
            await store_stripe_ids(
                session=session, slug=plan.plan, product_id=product, made=prices, now=datetime.now(UTC)
            )
        products[product] = [str(price.stripe_price_id) for price in prices]
    return products


async def _priced_plans(database: Database) -> Sequence[PlanState]:
    async with database.reading() as session:
        plans = [plan_state(plan) for plan in await store.all_plans(session)]
    if not plans:
        raise NoPlans
    return [plan for plan in plans if plan.prices]
