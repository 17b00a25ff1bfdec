"""What Stripe refused, as platform staff see it."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit, NextCursor, Position, cursor_of, position_of
from purchases.stripe_refusals import store as stripe_refusals
from purchases.web.access import AtDatabase, Staff
from purchases.web.bodies import Id
from purchases.web.refused import of_staff
from purchases.web.replies.examples import NEXT_CURSOR
from purchases.web.searching import Moment

router = APIRouter(prefix="/v1/admin/stripe-refusals", tags=["staff"])

EXAMPLE: Final[JsonDict] = {
    "id": 12,
    "workspace_id": "ws-acme",
    "call": "setup_session",
    "http_status": 400,
    "code": "url_invalid",
    "message": "Not a valid URL",
    "param": "success_url",
    "stripe_request_id": "req_hC2mXgT5yPzq0a",
    "times": 3,
    "first_at": "2026-03-02T09:12:00.250000Z",
    "last_at": "2026-03-02T09:14:00.250000Z",
}


class RefusalPosition(Position):
    """Behind which refusal, the newest first."""

    last_at: Moment
    id: int


class RefusalReply(BaseModel):
    """A request that Stripe refused for what it said, and how often."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]}, from_attributes=True)

    id: int
    workspace_id: str
    purchase_id: UUID | None = Field(default=None, description="None where nothing had been written yet")
    call: str = Field(description="What was asked of Stripe: `draft`, `setup_session`, `portal_session`, …")
    http_status: int | None = None
    code: str | None = Field(default=None, description="Stripe's code")
    message: str = Field(description="Stripe's words, secrets masked")
    param: str | None = Field(default=None, description="The parameter that Stripe names")
    stripe_request_id: str | None = Field(default=None, description="To be found in Stripe's own log")
    times: int
    first_at: datetime
    last_at: datetime


class RefusalsReply(BaseModel):
    """A page of refusals, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next_cursor": NEXT_CURSOR}]})

    items: list[RefusalReply]
    next_cursor: NextCursor = None


OfWorkspace = Annotated[Id | None, Query(description="Met by this workspace", examples=["ws-acme"])]
OfPurchase = Annotated[UUID | None, Query(description="Met by this purchase")]


@router.get("", operation_id="list_stripe_refusals", responses=of_staff(InvalidCursor()))
async def list_stripe_refusals(
    _: Staff,
    database: AtDatabase,
    workspace: OfWorkspace = None,
    purchase: OfPurchase = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> RefusalsReply:
    """What Stripe refused in the last 90 days, with its code, message and parameter: of all workspaces, or of one."""
    position = position_of(cursor, RefusalPosition)
    after = (position.last_at, position.id) if position else None
    async with database.reading() as session:
        found = await stripe_refusals.page(
            session, workspace_id=workspace, purchase_id=purchase, after=after, limit=limit + 1
        )
    shown = [RefusalReply.model_validate(one) for one in found[:limit]]
    more = RefusalPosition(last_at=shown[-1].last_at, id=shown[-1].id) if len(found) > limit else None
    return RefusalsReply(items=shown, next_cursor=cursor_of(more) if more else None)
