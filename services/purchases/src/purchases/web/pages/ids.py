"""Ids in the addresses of pages."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from purchases.ledger import problems


async def purchase_in_path(purchase_id: str) -> UUID:
    """Return the purchase's id. Raises Problem 404 for what is none."""
    try:
        return UUID(purchase_id)
    except ValueError as error:
        raise problems.purchase_not_found() from error


PurchaseId = Annotated[UUID, Depends(purchase_in_path)]
