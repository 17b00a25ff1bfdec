"""Refunds and disputes of the plan's payments, as a workspace's people and platform staff get them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from chassis.money import major_text
from chassis.web.cursors import NextCursor, Position
from purchases.ledger.plan_rows import WorkspaceDispute, WorkspaceRefund
from purchases.web.replies.examples import NEXT_CURSOR
from purchases.web.searching import Moment

REFUND: Final[JsonDict] = {
    "stripe_refund_id": "re_3SVq6tLkdIwHu7ix1dF5gH7j",
    "stripe_invoice_id": "in_1SVq6sLkdIwHu7ixB3mN8vC2",
    "refund": "9.00",
    "refund_cents": 900,
    "currency": "EUR",
    "status": "succeeded",
    "recorded_at": "2026-03-09T08:14:02Z",
    "updated_at": "2026-03-09T08:14:02Z",
}
DISPUTE: Final[JsonDict] = {
    "stripe_dispute_id": "du_1SVq6tLkdIwHu7ixQ7rT2yWz",
    "stripe_invoice_id": "in_1SVq6sLkdIwHu7ixB3mN8vC2",
    "dispute": "9.00",
    "dispute_cents": 900,
    "currency": "EUR",
    "status": "needs_response",
    "opened_at": "2026-03-10T08:14:02Z",
}
OF: Final[JsonDict] = {"workspace_id": "ws-acme", "stripe_subscription_id": "sub_1SVq6tLkdIwHu7ixQ2nP9kB8"}
STAFF_REFUND: Final[JsonDict] = {**REFUND, **OF, "whole_cents": 60800, "automatic": False}
STAFF_DISPUTE: Final[JsonDict] = {
    **DISPUTE,
    **OF,
    "whole_cents": 900,
    "reason": "subscription_canceled",
    "evidence_due_at": "2026-03-19T23:59:59Z",
}


class PlanMoneyPosition(Position):
    """Behind which refund or dispute, the newest first."""

    at: Moment
    id: str


class PlanRefundReply(BaseModel):
    """A refund of what was paid for the plan."""

    model_config = ConfigDict(json_schema_extra={"examples": [REFUND]})

    stripe_refund_id: str
    stripe_invoice_id: str
    refund: str = Field(description="Major units")
    refund_cents: int = Field(description="The plan's share of it; what fell on purchases is with each purchase")
    currency: str
    status: str = Field(description="Stripe's own word: `pending`, `succeeded`, `failed`, …")
    recorded_at: datetime
    updated_at: datetime


class StaffPlanRefundReply(PlanRefundReply):
    """With what staff need."""

    model_config = ConfigDict(json_schema_extra={"examples": [STAFF_REFUND]})

    workspace_id: str
    stripe_subscription_id: str
    whole_cents: int = Field(description="Stripe's refund in all")
    automatic: bool = Field(description="We sent it back ourselves, for a second subscription")
    failure_reason: str | None = None
    corrected_at: datetime | None = Field(
        default=None, description="When another share was found than was published before"
    )


class PlanDisputeReply(BaseModel):
    """A cardholder's bank wants back what was paid for the plan."""

    model_config = ConfigDict(json_schema_extra={"examples": [DISPUTE]})

    stripe_dispute_id: str
    stripe_invoice_id: str
    dispute: str = Field(description="Major units")
    dispute_cents: int = Field(description="The plan's share of it; what is of purchases is with each purchase")
    currency: str
    status: str = Field(description="Stripe's own word: `needs_response`, `won`, `lost`, …")
    opened_at: datetime
    closed_at: datetime | None = None


class StaffPlanDisputeReply(PlanDisputeReply):
    """With what staff need."""

    model_config = ConfigDict(json_schema_extra={"examples": [STAFF_DISPUTE]})

    workspace_id: str
    stripe_subscription_id: str
    whole_cents: int = Field(description="What the bank named")
    reason: str | None = Field(default=None, description="The cardholder's, in Stripe's word")
    evidence_due_at: datetime | None = Field(default=None, description="Until when the bank takes evidence")
    corrected_at: datetime | None = Field(
        default=None, description="When another share was found than was published before"
    )


class PlanRefundsReply(BaseModel):
    """A page of a workspace's refunds, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"refunds": [REFUND], "next_cursor": NEXT_CURSOR}]})

    refunds: list[PlanRefundReply]
    next_cursor: NextCursor = None


class PlanDisputesReply(BaseModel):
    """A page of a workspace's disputes, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"disputes": [DISPUTE], "next_cursor": NEXT_CURSOR}]})

    disputes: list[PlanDisputeReply]
    next_cursor: NextCursor = None


class StaffPlanRefundsReply(BaseModel):
    """A page of refunds, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"refunds": [STAFF_REFUND], "next_cursor": NEXT_CURSOR}]})

    refunds: list[StaffPlanRefundReply]
    next_cursor: NextCursor = None


class StaffPlanDisputesReply(BaseModel):
    """A page of disputes, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"disputes": [STAFF_DISPUTE], "next_cursor": NEXT_CURSOR}]}
    )

    disputes: list[StaffPlanDisputeReply]
    next_cursor: NextCursor = None


ReplyT = TypeVar("ReplyT", PlanRefundReply, StaffPlanRefundReply, PlanDisputeReply, StaffPlanDisputeReply)


def replies(rows: Sequence[WorkspaceRefund | WorkspaceDispute], kind: type[ReplyT]) -> list[ReplyT]:
    """Return each refund, or each dispute, as `kind` shows it."""
    return [kind.model_validate(_members(row, kind)) for row in rows]


def position_of_row(row: WorkspaceRefund | WorkspaceDispute) -> PlanMoneyPosition:
    """Return its place in the list."""
    if isinstance(row, WorkspaceRefund):
        return PlanMoneyPosition(at=row.recorded_at, id=row.stripe_refund_id)
    return PlanMoneyPosition(at=row.opened_at, id=row.stripe_dispute_id)


def _members(row: WorkspaceRefund | WorkspaceDispute, kind: type[BaseModel]) -> dict[str, object]:
    members = {name: getattr(row, name) for name in kind.model_fields if hasattr(row, name)}
    if isinstance(row, WorkspaceRefund):
        return members | {"refund": major_text(row.refund_cents, row.currency)}
    return members | {"dispute": major_text(row.dispute_cents, row.currency)}
