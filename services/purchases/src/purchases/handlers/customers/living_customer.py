"""The workspace's customer as it is at Stripe now, for requests that have written nothing yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from stripe import StripeClient

from chassis.database import Database
from chassis.problems import Problem
from purchases import refusals
from purchases.handlers.customers.register_workspace import ensure_customer
from purchases.payments.client import OutcomeUnknown, StripeRefused
from purchases.payments.customers import PayingCustomer, paying_customer
from purchases.store import workspaces

CUSTOMERS_TRIED: Final = 3


@contextmanager
def nothing_written() -> Iterator[None]:
    """What Stripe's errors are to a request that has written nothing: 503 and 502."""
    try:
        yield
    except OutcomeUnknown as error:
        raise refusals.stripe_unavailable() from error
    except StripeRefused as error:
        raise refused_by_stripe(error) from error


def refused_by_stripe(error: StripeRefused) -> Problem:
    """A permanent no, for a request."""
    return refusals.stripe_refused(error.code)


async def living_customer(
    *, database: Database, client: StripeClient, instance: str, workspace_id: str
) -> PayingCustomer:
    """The customer with its card; one that was deleted at Stripe is made anew. Raises as Stripe does."""
    for _ in range(CUSTOMERS_TRIED):
        customer_id = await ensure_customer(
            database=database, client=client, instance=instance, workspace_id=workspace_id
        )
        customer = await paying_customer(client, customer_id=customer_id)
        if customer is not None:
            return customer
        async with database.transaction() as session:
            await workspaces.forget_customer(session, workspace_id=workspace_id, customer_id=customer_id)
    raise OutcomeUnknown("Stripe does not know the customers that it has just made")
