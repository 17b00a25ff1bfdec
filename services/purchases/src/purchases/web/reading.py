"""Purchases, parked items and Stripe's refusals, as the API sends and pages show them."""

from uuid import UUID

from chassis.database.database import Database
from chassis.web.cursors import PAGE, cut_page, position_of
from purchases.ledger import problems
from purchases.ledger import search as purchase_search
from purchases.ledger import store as ledger
from purchases.ledger.rows import Purchase
from purchases.parked import store as parked_items
from purchases.parked.review_parked import parked_not_found
from purchases.stripe_refusals import store as stripe_refusals
from purchases.web.replies.parked_replies import ParkedItemsReply, ParkedPosition, ParkedReply, parked_reply
from purchases.web.replies.refusal_replies import RefusalPosition, RefusalReply, RefusalsReply
from purchases.web.replies.staff_replies import (
    AdminPurchaseReply,
    FoundReply,
    admin_purchase_reply,
    found_reply,
    ids_of,
)
from purchases.web.searching import PurchaseSearch, page_of


async def read_purchase(database: Database, workspace_id: str, purchase_id: UUID) -> Purchase:
    """Return a purchase of this workspace. Raises Problem 404."""
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id, workspace_id=workspace_id)
    if purchase is None:
        raise problems.purchase_not_found()
    return purchase


async def read_purchase_for_staff(database: Database, purchase_id: UUID) -> AdminPurchaseReply:
    """Return one purchase with its history, its money, Stripe's ids, and what is parked. Raises Problem 404."""
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id)
        if purchase is None:
            raise problems.purchase_not_found()
        return admin_purchase_reply(
            purchase,
            history=await ledger.history(session, purchase_id),
            disputes=await purchase_search.disputes_of(session, purchase_id),
            parked=await parked_items.of_purchase(session, ids_of(purchase)),
        )


async def search_purchases(database: Database, search: PurchaseSearch) -> FoundReply:
    """Return a page of purchases of all workspaces, newest first. Raises Problem 422, InvalidCursor."""
    query = search.query()
    async with database.reading() as session:
        found, next_cursor = await page_of(session, query, limit=search.limit, cursor=search.cursor)
    return FoundReply(purchases=[found_reply(purchase) for purchase in found], next_cursor=next_cursor)


async def read_parked_item(database: Database, item_id: str) -> ParkedReply:
    """Return one parked item as it is now. Raises Problem 404."""
    async with database.reading() as session:
        item = await parked_items.find(session, item_id)
    if item is None:
        raise parked_not_found()
    return parked_reply(item)


async def list_parked(database: Database, *, is_open: bool, limit: int = PAGE, cursor: str | None) -> ParkedItemsReply:
    """Return a page of what is parked, or of what was resolved, the newest first. Raises InvalidCursor."""
    position = position_of(cursor, ParkedPosition)
    after = (position.parked_at, position.id) if position else None
    async with database.reading() as session:
        found = await parked_items.page(session, is_open=is_open, after=after, limit=limit + 1)
    shown, next_cursor = cut_page(found, limit, lambda last: ParkedPosition(parked_at=last.parked_at, id=last.id))
    return ParkedItemsReply(items=[parked_reply(item) for item in shown], next_cursor=next_cursor)


async def list_refusals(
    database: Database, *, workspace_id: str | None, purchase_id: UUID | None, limit: int = PAGE, cursor: str | None
) -> RefusalsReply:
    """Return a page of what Stripe refused, the newest first: of all workspaces, or of one. Raises InvalidCursor."""
    position = position_of(cursor, RefusalPosition)
    after = (position.last_at, position.id) if position else None
    async with database.reading() as session:
        found = await stripe_refusals.page(
            session, workspace_id=workspace_id, purchase_id=purchase_id, after=after, limit=limit + 1
        )
    shown, next_cursor = cut_page(found, limit, lambda last: RefusalPosition(last_at=last.last_at, id=last.id))
    return RefusalsReply(items=[RefusalReply.model_validate(refusal) for refusal in shown], next_cursor=next_cursor)
