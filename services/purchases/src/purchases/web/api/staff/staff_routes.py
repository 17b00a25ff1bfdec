"""Purchases, as platform staff sees them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from chassis.web.cursors import InvalidCursor
from chassis.web.openapi import NOTHING_HERE
from purchases.ledger import problems
from purchases.web import reading
from purchases.web.access import AtDatabase, Staff
from purchases.web.replies.staff_replies import AdminPurchaseReply, FoundReply
from purchases.web.responses import of_staff
from purchases.web.searching import PurchaseSearch, period_empty

router = APIRouter(prefix="/v1/admin/purchases", tags=["staff"])

UNKNOWN = (problems.purchase_not_found(), NOTHING_HERE)


@router.get("", operation_id="search_purchases", responses=of_staff(period_empty(), InvalidCursor()))
async def search_purchases(search: Annotated[PurchaseSearch, Query()], _: Staff, database: AtDatabase) -> FoundReply:
    """Purchases of all workspaces, newest first."""
    return await reading.search_purchases(database, search)


@router.get("/{purchase_id}", operation_id="get_purchase_for_staff", responses=of_staff(*UNKNOWN))
async def get_purchase_for_staff(purchase_id: UUID, _: Staff, database: AtDatabase) -> AdminPurchaseReply:
    """One purchase with its history, its money, Stripe's ids, and what is parked about it."""
    return await reading.read_purchase_for_staff(database, purchase_id)
