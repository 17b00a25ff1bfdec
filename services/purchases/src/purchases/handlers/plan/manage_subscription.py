"""The owner manages the subscription in Stripe's Customer Portal."""

from stripe import StripeClient

from chassis.database import Database
from purchases import refusals
from purchases.handlers.customers.living_customer import living_customer, nothing_written
from purchases.payments.portal import open_portal


async def manage_subscription(
    *, database: Database, client: StripeClient, instance: str, workspace_id: str, return_url: str, cancel: str
) -> str:
    """The portal's address for the workspace; `cancel` is `at_period_end` or `immediately`. Raises a Problem."""
    async with nothing_written(database, workspace_id=workspace_id):
        customer = await living_customer(database=database, client=client, instance=instance, workspace_id=workspace_id)
        page = await open_portal(
            client, instance=instance, customer_id=customer.customer_id, return_url=return_url, cancel=cancel
        )
    if page is None:
        raise refusals.portal_not_set_up()
    return page.url
