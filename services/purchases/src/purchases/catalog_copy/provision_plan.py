"""Command: what a plan costs, or is to cost, is found or made at Stripe, and offered in the Customer Portal."""

from purchases.catalog_copy import plans
from purchases.catalog_copy.provision_plan_price import provision_plan_price, to_be_sold
from purchases.jobs import store as commands
from purchases.jobs.store import Command
from purchases.jobs.stripe_context import DONE, Result, StripeDesk
from purchases.stripe_api.catalog.portal import offer_prices
from purchases.stripe_api.client import OutcomeUnknown


async def provision_plan(desk: StripeDesk, command: Command) -> Result:
    """Provide each price that lacks its Stripe price, then have subscribers switch among those that sell now.

    What was provided is kept before the next call: repeated, it is found.
    """
    async with desk.database.reading() as session:
        plan = await plans.find(session, command.subject)
    if plan is None:
        return DONE
    attempt = int(command.arguments.get("attempt", 1))
    try:
        for price in plan.prices:
            if price["stripe_price_id"] is None or price.get("pending_price_cents") is not None:
                await provision_plan_price(
                    database=desk.database,
                    client=desk.client,
                    instance=desk.instance,
                    sold=(sold := to_be_sold(plan, price)),
                    asked_for=f"plan-price:{sold.price_cents}:{plan.sequence}",
                    attempt=attempt,
                )
    except OutcomeUnknown as error:
        if error.stored:
            async with desk.database.transaction() as session:
                await commands.next_attempt(session, command, attempt=attempt + 1)
        raise
    await _offer(desk)
    return DONE


async def _offer(desk: StripeDesk) -> None:
    async with desk.database.reading() as session:
        known = await plans.known(session)
    products = {
        plan.stripe_product_id: [price["stripe_price_id"] for price in plan.prices if price["stripe_price_id"]]
        for plan in known
        if plan.stripe_product_id and plan.prices
    }
    await offer_prices(desk.client, instance=desk.instance, products=products)
