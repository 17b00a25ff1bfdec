"""The owner manages the subscription in Stripe's Customer Portal."""

from chassis.problems import Problem
from purchases.customers.usable_customer import ensure_usable_customer, map_stripe_errors
from purchases.jobs.stripe_context import StripeContext
from purchases.stripe_api.catalog.portal import open_portal


async def manage_subscription(context: StripeContext, *, workspace_id: str, return_url: str, cancel: str) -> str:
    """Return the portal's address for the workspace; `cancel` is `at_period_end` or `immediately`.

    Raises Problem 502 or 503.
    """
    async with map_stripe_errors(context.database, workspace_id=workspace_id):
        customer = await ensure_usable_customer(context, workspace_id=workspace_id)
        customer_id, instance = customer.customer_id, context.instance
        page = await open_portal(
            context.client, instance=instance, customer_id=customer_id, return_url=return_url, cancel=cancel
        )
    if page is None:
        raise portal_not_set_up()
    return page.url


def portal_not_set_up() -> Problem:
    """Return a 503: `bootstrap-stripe` has not made the portal's configurations for this instance."""
    return Problem(
        503,
        "portal-not-set-up",
        "The customer portal is not set up",
        "Nothing was changed. Our team has to set it up at Stripe first.",
        retry_after=300,
    )
