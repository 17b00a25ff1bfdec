"""Parked items, as platform staff see and resolve them."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query

from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit
from chassis.web.openapi import NOTHING_HERE, UNREADABLE
from purchases.ledger import problems
from purchases.parked.allocate import allocate, not_allocatable, paid_otherwise
from purchases.parked.retry_all_parked import retry_all_parked
from purchases.parked.review_parked import discard_parked, not_parked_any_more, parked_not_found, retry_parked
from purchases.refunds.request_refund import refund_too_large
from purchases.web import reading
from purchases.web.access import AtDatabase, ByStaff, Staff
from purchases.web.bodies import AllocateBody, DiscardBody, RetryAllBody
from purchases.web.replies.parked_replies import ParkedItemsReply, ParkedReply, RetriedReply, parked_reply
from purchases.web.responses import of_staff

router = APIRouter(prefix="/v1/admin/parked", tags=["staff"])

ItemId = Annotated[
    str, Path(max_length=300, description="`fact-…`, `command-…` or `payment-…`", examples=["fact-12", "command-7"])
]
State = Annotated[Literal["open", "resolved"], Query(description="What waits still, or what was applied or discarded")]
GONE: Final = (parked_not_found(), not_parked_any_more(), NOTHING_HERE)

NOT_ALLOCATED: Final = (
    problems.purchase_not_found(),
    not_allocatable(),
    paid_otherwise(),
    refund_too_large(left=29_900, currency="EUR"),
)


@router.get("", operation_id="list_parked", responses=of_staff(InvalidCursor()))
async def list_parked(
    _: Staff, database: AtDatabase, state: State = "open", limit: Limit = PAGE, cursor: Cursor = None
) -> ParkedItemsReply:
    """What was set aside, why, since when, and what it waits for."""
    return await reading.list_parked(database, is_open=state == "open", limit=limit, cursor=cursor)


@router.post("/retry", operation_id="retry_all_parked", status_code=202, responses=of_staff(*UNREADABLE))
async def retry_all(body: RetryAllBody, actor: ByStaff, database: AtDatabase) -> RetriedReply:
    """Have everything of one kind tried again at once: after a fault was mended that set many things aside."""
    tried = await retry_all_parked(database=database, kind=body.kind, about=body.about, actor=actor)
    return RetriedReply(retried=tried)


@router.post("/{item_id}/retry", operation_id="retry_parked", status_code=202, responses=of_staff(*GONE))
async def retry_parked_item(item_id: ItemId, actor: ByStaff, database: AtDatabase) -> ParkedReply:
    """Have it tried again now: the fact applied, the command carried out, the payment's purchase looked at."""
    async with database.transaction() as session:
        item = await retry_parked(session=session, item_id=item_id, actor=actor)
    return parked_reply(item)


@router.post("/{item_id}/discard", operation_id="discard_parked", responses=of_staff(*UNREADABLE, *GONE))
async def discard_parked_item(item_id: ItemId, body: DiscardBody, actor: ByStaff, database: AtDatabase) -> ParkedReply:
    """End it unapplied, for a reason that is kept."""
    async with database.transaction() as session:
        item = await discard_parked(session=session, item_id=item_id, actor=actor, reason=body.reason)
    return parked_reply(item)


@router.post(
    "/{item_id}/allocate", operation_id="allocate_parked", responses=of_staff(*UNREADABLE, *GONE, *NOT_ALLOCATED)
)
async def allocate_parked_refund(
    item_id: ItemId, body: AllocateBody, actor: ByStaff, database: AtDatabase
) -> ParkedReply:
    """Say which purchase a refund is of that Stripe made in part of a charge that paid several things."""
    async with database.transaction() as session:
        item = await allocate(session=session, item_id=item_id, purchase_id=body.purchase_id, actor=actor)
    return parked_reply(item)
