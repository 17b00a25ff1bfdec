"""What a plan costs, or is to cost, is found or made at Stripe, and offered in the Customer Portal."""

from purchases.catalog_copy import plans
from purchases.catalog_copy.provision_plan_price import provision_plan_price, to_be_sold
from purchases.catalog_copy.rows import Plan
from purchases.jobs.kinds import ProvisionPlan
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, StripeContext, number_tries
from purchases.stripe_api.catalog.portal import offer_prices


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
                database=context.database,
                client=context.client,
                instance=context.instance,
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
