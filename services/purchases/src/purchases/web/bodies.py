"""What clients send: to register, to buy, to move a purchase, to decide about what is parked."""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from chassis.money import MAX_MINOR_UNITS
from chassis.texts import one_line
from chassis.web.web import Body
from purchases.ledger.transitions import Status
from purchases.parked.store import Kind

Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@|-]*$")]
PART: Final = r"[^@\s<>,;\"\x00-\x1f\x7f-\x9f]+"
"""Of an address; the notifier looks closer, and sets a mail aside that can never arrive."""
Email = Annotated[str, StringConstraints(min_length=3, max_length=320, pattern=rf"^{PART}@{PART}$")]
NO_BREAKS: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""Without control characters, line ends among them: the text stands in mails and on Stripe's pages."""


Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), AfterValidator(one_line)
]
"""Stands in histories, mails and logs."""


def _one_line_or_none(text: str | None) -> str | None:
    return None if text is None else one_line(text)


class DiscardBody(Body):
    """Why a parked item is ended unapplied."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Refunded by hand in the Dashboard"}]})

    reason: Reason


class RetryAllBody(Body):
    """Which parked items are tried again all at once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "command", "about": "void"}]})

    kind: Kind
    about: Annotated[
        str | None,
        Field(max_length=128, description="Only those about this type of fact, or this kind of command"),
        AfterValidator(_one_line_or_none),
    ] = None


class AllocateBody(Body):
    """Whose money a parked refund is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"purchase_id": "0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31"}]})

    purchase_id: UUID


class OwnerBody(Body):
    """The paying operator; fixed when the workspace is registered, but for the address."""

    user_id: Id
    email: Email


class WorkspaceBody(Body):
    """A workspace of the host product."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Acme", "owner": {"user_id": "user-1", "email": "owner@acme.example"}}]
        }
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=NO_BREAKS)]
    owner: OwnerBody
    stripe_customer_id: Annotated[str, StringConstraints(pattern=r"^cus_[A-Za-z0-9]{1,250}$")] | None = None


class PurchaseBody(Body):
    """What to buy, and the price that the buyer saw: minor units, ISO 4217."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"addon": "professional-ai-setup", "expected_price_cents": 49900, "expected_currency": "EUR"}]
        }
    )

    addon: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    expected_price_cents: Annotated[int, Field(strict=True, gt=0, le=MAX_MINOR_UNITS)]
    expected_currency: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$", to_upper=True)]
    return_url: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None


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
