"""`bootstrap-stripe`: makes or finds at Stripe what the product needs there, says what it did, and can be repeated."""

from collections.abc import Sequence
from datetime import UTC, datetime

from stripe import StripeClient

from catalog.handlers.plans import keep_stripe_ids, list_plans
from catalog.publisher import plan_state
from catalog.stripe_setup.plan_prices import Say, provision_plan
from catalog.stripe_setup.portal import provision_portal
from catalog.stripe_setup.webhook import KeepSecret, provision_webhook
from chassis.database import Database
from contracts import PlanState


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
    """Products and prices of the plans, the portal's configurations, then the webhook endpoint.

    Raises NoPlans, and what Stripe's client raises.

    No transaction is held across a call: what was made is stored after it, where the plan still costs that.
    """
    products: dict[str, list[str]] = {}
    for plan in await _priced_plans(database):
        product, prices = await provision_plan(client=client, plan=plan, instance=instance, say=say)
        async with database.transaction() as session:
            await keep_stripe_ids(
                session=session, slug=plan.plan, product_id=product, made=prices, now=datetime.now(UTC)
            )
        products[product] = [str(price.stripe_price_id) for price in prices]
    await provision_portal(client=client, instance=instance, products=products, say=say)
    if webhook_url:
        await provision_webhook(client=client, url=webhook_url, instance=instance, keep_secret=keep_secret, say=say)
    else:
        say("webhook: left alone, since neither --webhook-url nor STRIPE_WEBHOOK_URL names its address")


async def _priced_plans(database: Database) -> Sequence[PlanState]:
    async with database.reading() as session:
        plans = [plan_state(plan) for plan in await list_plans(session=session)]
    if not plans:
        raise NoPlans
    return [plan for plan in plans if plan.prices]
