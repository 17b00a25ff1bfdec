"""The addresses of a workspace's pages, and the ids in them."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends

from purchases.ledger import problems
from purchases.web.pages.awaited import Answer


def services_path(workspace_id: str) -> str:
    """Return the page where services are bought."""
    return f"{_workspace(workspace_id)}/billing/addons"


def about(workspace_id: str, purchase_id: UUID, answer: Answer | None = None) -> str:
    """Return the Services page with news of this purchase; reloaded, it shows how it stands then, and sends nothing."""
    returned = f"&returned={answer.value}" if answer else ""
    return f"{services_path(workspace_id)}?about={purchase_id}{returned}"


def billing_path(workspace_id: str) -> str:
    """Return the page where everyone in the workspace sees the plan."""
    return f"{_workspace(workspace_id)}/settings/billing"


def _workspace(workspace_id: str) -> str:
    return f"/app/{quote(workspace_id, safe='')}"


async def purchase_in_path(purchase_id: str) -> UUID:
    """Return the purchase's id. Raises Problem 404 for what is none."""
    try:
        return UUID(purchase_id)
    except ValueError as error:
        raise problems.purchase_not_found() from error


PurchaseId = Annotated[UUID, Depends(purchase_in_path)]
