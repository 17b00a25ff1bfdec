"""The workspace's customer as it is at Stripe now, for requests that have written nothing yet."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from chassis.database.database import Database
from chassis.problems import Problem
from purchases.customers.register_workspace import ensure_customer
from purchases.jobs.stripe_context import StripeContext
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused
from purchases.stripe_api.customers import PayingCustomer, paying_customer
from purchases.stripe_refusals.store import keep_refusal
from purchases.workspaces import store as workspaces

CUSTOMERS_TRIED: Final = 3


@asynccontextmanager
async def map_stripe_errors(database: Database, *, workspace_id: str) -> AsyncIterator[None]:
    """Raise Problem 503 or 502 for Stripe's errors in a request that has written nothing; keep a refusal for staff."""
    try:
        yield
    except OutcomeUnknown as error:
        raise stripe_unavailable() from error
    except StripeRefused as error:
        raise await refused_by_stripe(database, error, workspace_id=workspace_id) from error


async def refused_by_stripe(database: Database, error: StripeRefused, *, workspace_id: str) -> Problem:
    """Keep a permanent refusal for staff, and return the problem that the request answers with."""
    await keep_refusal(database, error, workspace_id=workspace_id)
    return stripe_refused(error.code)


async def ensure_usable_customer(context: StripeContext, *, workspace_id: str) -> PayingCustomer:
    """Return the customer with its card; one that was deleted at Stripe is made anew.

    Raises OutcomeUnknown or StripeRefused.
    """
    for _ in range(CUSTOMERS_TRIED):
        customer_id = await ensure_customer(context, workspace_id=workspace_id)
        customer = await paying_customer(context.client, customer_id=customer_id)
        if customer is not None:
            return customer
        async with context.database.transaction() as session:
            await workspaces.forget_customer(session, customer_id=customer_id)
    raise OutcomeUnknown("Stripe does not know the customers that it has just made")


def stripe_unavailable() -> Problem:
    """Return a 503: Stripe did not answer, and nothing has been written."""
    return Problem(
        503,
        "stripe-unavailable",
        "The payment provider does not answer",
        "Nothing was charged. Try again.",
        retry_after=5,
    )


def stripe_refused(code: str | None, *, purchase: Mapping[str, Any] | None = None) -> Problem:
    """Return a 502: a permanent 4xx that is not about the card; with the failed purchase when there already is one."""
    extra: dict[str, Any] = {"purchase": purchase} if purchase else {}
    return Problem(
        502,
        "stripe-refused",
        "The payment provider refused the request",
        "Nothing was charged. Our team can see the reason.",
        stripe_code=code,
        **extra,
    )
