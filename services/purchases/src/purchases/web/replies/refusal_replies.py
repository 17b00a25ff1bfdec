"""What Stripe refused, as platform staff get it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from chassis.web.cursors import NextCursor, Position
from purchases.web.replies.examples import NEXT_CURSOR
from purchases.web.searching import Moment

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
