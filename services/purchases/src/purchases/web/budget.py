"""How much a tenant may cost: a budget per workspace and per person on every route that calls Stripe."""

from typing import Annotated

from fastapi import Depends

from chassis.database.database import Database
from chassis.web.auth import CurrentCaller
from purchases.settings import Settings
from purchases.stripe_budgets import store as budgets
from purchases.stripe_budgets.problems import too_many_requests
from purchases.stripe_budgets.store import Bucket
from purchases.web.access import AtDatabase, Buyer, HostProduct, Owner, Staff, WorkspaceId
from purchases.web.requests import SettingsOfApp
from purchases.workspaces.rows import Workspace


async def spend(
    database: Database,
    settings: Settings,
    *,
    workspace_id: str | None = None,
    product_for: str | None = None,
    person: str | None = None,
) -> None:
    """Take one request out of the budget of each that is named. Raises Problem 429, and then takes nothing."""
    per_minute = settings.stripe_budget_workspace_per_minute, settings.stripe_budget_person_per_minute
    of_workspace = Bucket(settings.stripe_budget_workspace_burst, per_minute[0])
    budgets_by_subject = (
        (workspace_id and f"workspace:{workspace_id}", of_workspace),
        (product_for and f"product:{product_for}", of_workspace),
        (person and f"person:{person}", Bucket(settings.stripe_budget_person_burst, per_minute[1])),
    )
    async with database.transaction() as session:
        for subject, bucket in budgets_by_subject:
            if subject is None:
                continue
            seconds = await budgets.spend(session, subject=subject, bucket=bucket)
            if seconds is not None:
                raise too_many_requests(seconds=seconds)


async def buyer_within_budget(
    workspace: Buyer, caller: CurrentCaller, database: AtDatabase, settings: SettingsOfApp
) -> Workspace:
    """Return the workspace of its owner or admin. Raises 404 and 403 before anything is spent, then 429."""
    await spend(database, settings, workspace_id=workspace.id, person=caller.subject)
    return workspace


async def owner_within_budget(
    workspace: Owner, caller: CurrentCaller, database: AtDatabase, settings: SettingsOfApp
) -> Workspace:
    """Return the workspace of its registered owner. Raises 404 and 403 before anything is spent, then 429."""
    await spend(database, settings, workspace_id=workspace.id, person=caller.subject)
    return workspace


async def staff_within_budget(caller: Staff, database: AtDatabase, settings: SettingsOfApp) -> None:
    """Take of a member of staff's own budget, whatever the workspace. Raises 403, then 429."""
    await spend(database, settings, person=caller.subject)


async def product_within_budget(ws: WorkspaceId, _: HostProduct, database: AtDatabase, settings: SettingsOfApp) -> None:
    """Take of the host product's budget, one a workspace, which nobody else spends of: it speaks for everybody.

    Raises 403, then 429.
    """
    await spend(database, settings, product_for=ws)


SpendingBuyer = Annotated[Workspace, Depends(buyer_within_budget)]
SpendingOwner = Annotated[Workspace, Depends(owner_within_budget)]
SPENDING = (buyer_within_budget, owner_within_budget, staff_within_budget, product_within_budget)
"""Every route that calls Stripe depends on one of them."""
