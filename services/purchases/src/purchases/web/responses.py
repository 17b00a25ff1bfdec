"""What an operation can refuse with, by its audience: the `responses` of its description, each problem an example."""

from typing import Final

from chassis.problems import Problem
from chassis.web.auth import forbidden
from chassis.web.openapi import INVALID_REQUEST, NOT_STAFF, NOTHING_HERE, UNAUTHENTICATED, Responses, problems
from purchases.checkout.end_checkout import checkout_completed
from purchases.customers.usable_customer import stripe_refused
from purchases.stripe_budgets.problems import too_many_requests
from purchases.subscriptions.problems import checkout_busy
from purchases.workspaces.problems import workspace_not_found

ONLY_BUYERS: Final = "Only the workspace's owner and admins may see and buy services."

ONLY_THE_OWNER: Final = "Only the workspace's registered owner may upgrade and manage the subscription."
ONLY_CLAIMERS: Final = "Only the host product, and the workspace's owner, admins and editors may claim resources."
ONLY_IMPORTERS: Final = "Only the host product (scope resources:write) may import what is over the cap."


CHECKOUT_IN_THE_WAY: Final = (
    checkout_busy(),
    checkout_completed(["0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31"]),
    stripe_refused("resource_missing"),
    too_many_requests(seconds=2),
)
"""Where an open Checkout has to be ended first."""


def of_owner(*more: Problem) -> Responses:
    """Describe what can be refused in the operations of a workspace's owner alone."""
    strangers = (workspace_not_found(), NOTHING_HERE)
    return problems(UNAUTHENTICATED, forbidden(ONLY_THE_OWNER), *strangers, INVALID_REQUEST, *more)


def of_buyers(*more: Problem) -> Responses:
    """Describe what can be refused in the operations of a workspace's owner and admins."""
    strangers = (workspace_not_found(), NOTHING_HERE)
    return problems(UNAUTHENTICATED, forbidden(ONLY_BUYERS), *strangers, INVALID_REQUEST, *more)


def of_members(*more: Problem) -> Responses:
    """Describe what can be refused in the operations of everyone in a workspace."""
    return problems(UNAUTHENTICATED, workspace_not_found(), NOTHING_HERE, INVALID_REQUEST, *more)


def of_claimers(*more: Problem) -> Responses:
    """Describe what can be refused in the operations on a workspace's resources."""
    strangers = (workspace_not_found(), NOTHING_HERE)
    return problems(UNAUTHENTICATED, forbidden(ONLY_CLAIMERS), *strangers, INVALID_REQUEST, *more)


def of_staff(*more: Problem) -> Responses:
    """Describe what can be refused in the operations of platform staff."""
    return problems(UNAUTHENTICATED, NOT_STAFF, INVALID_REQUEST, *more)


def of_scope(scope: str, *more: Problem) -> Responses:
    """Describe what can be refused in the operations of the host product."""
    return problems(UNAUTHENTICATED, forbidden(f"The token lacks the scope {scope}."), INVALID_REQUEST, *more)
