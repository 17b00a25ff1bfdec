"""Parked items, as staff get them."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from chassis.kafka.records import Received, StoredRecord, decode
from chassis.outbox.kept_records import headers_of
from chassis.web.cursors import NextCursor, Position
from purchases.parked.store import Kind, ParkedItem
from purchases.web.replies.examples import NEXT_CURSOR
from purchases.web.searching import Moment

RAW: Final = "body"
"""Of a fact that no rule covered: Stripe's whole event, which is long and says nothing to staff."""
EXAMPLE: Final[JsonDict] = {
    "id": "fact-12",
    "kind": "fact",
    "about": "billing.stripe.charge_refunded.v1",
    "reason": "refunded before its payment is known",
    "waits_for": "pi_3SVq2kLkdIwHu7ix0hRbQpXn",
    "attempts": 2,
    "parked_at": "2026-03-02T09:12:00.250000Z",
    "retry_at": "2026-03-02T09:14:00.250000Z",
    "payload": {"charge_id": "ch_3SVq2kLkdIwHu7ix0Ae1Zt9M", "amount_refunded": 49900, "currency": "eur"},
    "decisions": [
        {"decision": "retry", "actor": "staff:mira", "at": "2026-03-02T09:13:00.118204Z"},
    ],
}


class ParkedPosition(Position):
    """Behind which item, the newest first."""

    parked_at: Moment
    id: str


class DecisionReply(BaseModel):
    """What somebody of staff decided about the item."""

    decision: str = Field(description="`retry`, `discard` or `allocate`")
    actor: str
    reason: str | None = None
    at: datetime


class ParkedReply(BaseModel):
    """Something that was set aside: a fact, a command to Stripe, or a payment that fits no purchase."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    kind: Kind
    about: str = Field(description="The fact's type, or the command's kind")
    reason: str | None = None
    waits_for: str | None = Field(default=None, description="It is tried again as soon as this id is stored")
    attempts: int
    parked_at: datetime
    retry_at: datetime | None = Field(default=None, description="It is tried again then all the same")
    resolved_at: datetime | None = None
    resolution: str | None = None
    payload: dict[str, Any] = Field(description="What the fact or the command says; what came of the payment")
    decisions: list[DecisionReply]


class ParkedItemsReply(BaseModel):
    """A page of parked items, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next_cursor": NEXT_CURSOR}]})

    items: list[ParkedReply]
    next_cursor: NextCursor = None


class RetriedReply(BaseModel):
    """How many items are tried again now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"retried": 12}]})

    retried: int


def parked_reply(item: ParkedItem) -> ParkedReply:
    members = {name: getattr(item, name) for name in ParkedReply.model_fields if name != "payload"}
    return ParkedReply.model_validate(members | {"payload": _payload(item)})


def _payload(item: ParkedItem) -> dict[str, Any]:
    """Return a fact's own members; where it cannot be read, where on Kafka it stood."""
    if item.value is None or item.headers is None:
        return item.payload
    read = decode(StoredRecord("", 0, 0, None, item.value, headers_of(item.headers)))
    if not isinstance(read, Received):
        return item.payload
    return read.fact.model_dump(mode="json", exclude_none=True, exclude={RAW})
