"""Purchases, as platform staff sees and moves them."""

from uuid import UUID

from fastapi import APIRouter

from chassis.openapi import NOTHING_HERE
from purchases import refusals
from purchases.api.access import AtDatabase, Staff
from purchases.api.examples import TOO_EARLY
from purchases.api.refused import of_staff
from purchases.api.replies import PurchaseReply, purchase_reply
from purchases.api.staff_replies import AdminPurchaseReply, admin_purchase_reply
from purchases.handlers.deliver import deliver
from purchases.store import ledger

router = APIRouter(prefix="/admin/purchases", tags=["staff"])

UNKNOWN = (refusals.purchase_not_found(), NOTHING_HERE)


@router.get("/{purchase_id}", operation_id="get_purchase_for_staff", responses=of_staff(*UNKNOWN))
async def get_purchase_for_staff(purchase_id: UUID, _: Staff, database: AtDatabase) -> AdminPurchaseReply:
    """One purchase with its history and Stripe's ids."""
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id)
        if purchase is None:
            raise refusals.purchase_not_found()
        return admin_purchase_reply(purchase, await ledger.history(session, purchase_id))


@router.post(
    "/{purchase_id}/deliver",
    operation_id="deliver_purchase",
    responses=of_staff(*UNKNOWN, refusals.illegal_move(TOO_EARLY)),
)
async def deliver_purchase(purchase_id: UUID, caller: Staff, database: AtDatabase) -> PurchaseReply:
    """Mark the work as complete."""
    async with database.transaction() as session:
        purchase = await deliver(session=session, purchase_id=purchase_id, actor=f"staff:{caller.subject}")
        return purchase_reply(purchase)
