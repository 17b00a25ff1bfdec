"""Purchases, as platform staff sees them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from chassis.web.cursors import InvalidCursor
from chassis.web.openapi import NOTHING_HERE
from purchases.ledger import problems
from purchases.ledger import search as store
from purchases.ledger import store as ledger
from purchases.parked import store as parked_items
from purchases.web.access import AtDatabase, Staff
from purchases.web.refused import of_staff
from purchases.web.replies.staff_replies import (
    AdminPurchaseReply,
    FoundReply,
    admin_purchase_reply,
    found_reply,
    ids_of,
)
from purchases.web.searching import PurchaseSearch, after_of, next_cursor_of, period_empty

router = APIRouter(prefix="/v1/admin/purchases", tags=["staff"])

UNKNOWN = (problems.purchase_not_found(), NOTHING_HERE)


@router.get("", operation_id="search_purchases", responses=of_staff(period_empty(), InvalidCursor()))
async def search_purchases(search: Annotated[PurchaseSearch, Query()], _: Staff, database: AtDatabase) -> FoundReply:
    """Purchases of all workspaces, newest first."""
    wanted, after = search.wanted(), after_of(search.cursor)
    async with database.reading() as session:
        found = await store.page(session, wanted, after=after, limit=search.limit + 1)
    return FoundReply(
        purchases=[found_reply(purchase) for purchase in found[: search.limit]],
        next_cursor=next_cursor_of(found, search.limit),
    )


@router.get("/{purchase_id}", operation_id="get_purchase_for_staff", responses=of_staff(*UNKNOWN))
async def get_purchase_for_staff(purchase_id: UUID, _: Staff, database: AtDatabase) -> AdminPurchaseReply:
    """One purchase with its history, its money, Stripe's ids, and what is parked about it."""
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id)
        if purchase is None:
            raise problems.purchase_not_found()
        return admin_purchase_reply(
            purchase,
            history=await ledger.history(session, purchase_id),
            disputes=await store.disputes_of(session, purchase_id),
            parked=await parked_items.of_purchase(session, ids_of(purchase)),
        )
