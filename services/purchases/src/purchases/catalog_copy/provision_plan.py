"""What a plan costs, or is to cost, is found or made at Stripe, and offered in the Customer Portal."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chassis.outbox.outbox import publish
from contracts import PlanPriceProvisioned
from purchases.catalog_copy import plans
from purchases.catalog_copy.rows import Plan
from purchases.jobs.kinds import ProvisionPlan
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, StripeContext, number_tries
from purchases.stripe_api.catalog.plan_prices import SoldPlan, provide_plan_price
from purchases.stripe_api.catalog.portal import offer_prices
from stripe_reader.prices import Price


async def provision_plan(context: StripeContext, task: Task[ProvisionPlan]) -> Result:
    """Provide each price that lacks its Stripe price, then have subscribers switch among those that sell now.

    What was provided is stored before the next call: repeated, it is found. Raises OutcomeUnknown or StripeRefused.
    """
    async with context.database.reading() as session:
        plan = await plans.find(session, task.job.plan)
    if plan is None:
        return DONE
    await number_tries(context, task, _provide_prices(context, plan, task.job.attempt))
    await _offer(context)
    return DONE


async def _provide_prices(context: StripeContext, plan: Plan, attempt: int) -> None:
    for price in plan.prices:
        if price["stripe_price_id"] is None or price.get("pending_price_cents") is not None:
            await provision_plan_price(
                context,
                sold=(sold := to_be_sold(plan, price)),
                asked_for=f"plan-price:{sold.price_cents}:{plan.sequence}",
                attempt=attempt,
            )


async def _offer(context: StripeContext) -> None:
    async with context.database.reading() as session:
        known = await plans.known(session)
    products = {
        plan.stripe_product_id: [price["stripe_price_id"] for price in plan.prices if price["stripe_price_id"]]
        for plan in known
        if plan.stripe_product_id and plan.prices
    }
    await offer_prices(context.client, instance=context.instance, products=products)


def to_be_sold(plan: Plan, price: Mapping[str, Any]) -> SoldPlan:
    """Return one of the plan's prices as it was edited last."""
    return SoldPlan(
        plan=plan.slug,
        name=plan.name,
        product_id=plan.stripe_product_id,
        interval=price["interval"],
        currency=price["currency"],
        price_cents=price.get("pending_price_cents") or price["price_cents"],
    )


async def provision_plan_price(context: StripeContext, *, sold: SoldPlan, asked_for: str, attempt: int = 1) -> str:
    """Return the Stripe price of `sold`, stored in our copy of the catalog and published to the catalog.

    `asked_for` and `attempt` make the idempotency key: what needs it, in which state.
    Raises OutcomeUnknown or StripeRefused.
    """
    found = await provide_plan_price(
        context.client, instance=context.instance, sold=sold, asked_for=asked_for, attempt=attempt
    )
    async with context.database.transaction() as session:
        kept = await plans.keep_price(
            session,
            plan=sold.plan,
            slot=(sold.interval, sold.currency),
            price_cents=sold.price_cents,
            stripe_price_id=found.price_id,
            stripe_product_id=found.product_id,
        )
        if kept is not None:
            now = datetime.now(UTC)
            publish(session, _fact(sold, found, context.instance, kept, now), occurred_at=now)
    return found.price_id


def _fact(sold: SoldPlan, found: Price, instance: str, sequence: int, now: datetime) -> PlanPriceProvisioned:
    return PlanPriceProvisioned(
        plan=sold.plan,
        sequence=sequence,
        occurred_at=now,
        interval="year" if sold.interval == "year" else "month",
        currency=sold.currency,
        price_cents=sold.price_cents,
        stripe_price_id=found.price_id,
        stripe_product_id=found.product_id,
        quittance_instance=instance,
    )
