"""What people send to move a purchase."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from chassis.money import MAX_MINOR_UNITS
from chassis.web.web import Body
from purchases.ledger.transitions import Status
from purchases.web.bodies import Reason


class NoteBody(Body):
    """A reason, where somebody wants to give one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "We found somebody in-house."}]})

    reason: Reason | None = None


ExpectedStatus = Annotated[
    Literal[Status.PENDING, Status.PAID] | None,
    Field(description="Refused with `status-changed` in another status: cancelling what is paid refunds nothing"),
]


class CancelBody(NoteBody):
    """Why, and in which status it was seen."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "We found somebody in-house.", "expected_status": "pending"}]}
    )

    expected_status: ExpectedStatus = None


class ReasonBody(Body):
    """Why; it stands in the history, in the fact and in the team's mails."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Bought for the wrong workspace"}]})

    reason: Reason


class StaffCancelBody(Body):
    """Why, and whether what remains of the money goes back as well."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Ordered by mistake", "refund": True}]})

    reason: Reason
    refund: Annotated[bool, Field(strict=True, description="Also ask for the refund of what remains")] = False
    expected_status: ExpectedStatus = None


class RefundBody(Body):
    """Why, and how much, in minor units of the purchase's currency; without an amount all that remains."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"amount_cents": 10000, "reason": "Half of it was done"}]}
    )

    amount_cents: Annotated[int, Field(strict=True, gt=0, le=MAX_MINOR_UNITS)] | None = None
    reason: Reason
