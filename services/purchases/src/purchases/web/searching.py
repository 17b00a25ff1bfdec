"""Pages of purchases over HTTP: where one goes on, and what staff may look for."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from chassis.web.cursors import PAGE, Cursor, Limit, Position, cut_page, position_of
from purchases.ledger import search
from purchases.ledger.rows import Purchase
from purchases.ledger.search import PurchaseQuery
from purchases.ledger.transitions import Status
from purchases.web.bodies import Id

ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC, as one without a zone is. Raises ValueError for one that no calendar of ours has."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of range") from error


def _iso_8601(moment: object) -> object:
    """Return what is written as ISO 8601. Raises ValueError for numbers, which pydantic reads as seconds since 1970."""
    if isinstance(moment, str) and not ISO.match(moment):
        raise ValueError("must be a date, or a date and time")
    return moment


Moment = Annotated[datetime, AfterValidator(_in_utc)]
MomentOrDate = Annotated[
    Moment,
    BeforeValidator(_iso_8601),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}),
]
MetByWorkspace = Annotated[Id | None, Query(description="Met by this workspace", examples=["ws-acme"])]
MetByPurchase = Annotated[UUID | None, Query(description="Met by this purchase")]
StripeId = Annotated[str, StringConstraints(max_length=255, pattern=r"^[a-z]{2,10}_[A-Za-z0-9_]+$")]


class PurchasePosition(Position):
    """Behind which purchase, the newest first."""

    started_at: Moment
    id: UUID


class PurchaseSearch(BaseModel):
    """What staff look for. All of it must fit; a parameter that is not known is refused, not ignored. Dates are UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workspace: Id | None = Field(default=None, description="Of this workspace", examples=["ws-acme"])
    status: Status | None = None
    stripe_id: StripeId | None = Field(
        default=None,
        description="An id of Stripe's: invoice, payment intent, charge, refund, customer, price, Checkout session, "
        "subscription, dispute, or an event of its history",
        examples=["in_1SVq2jLkdIwHu7ixTzM0aVbC"],
    )
    started_from: MomentOrDate | None = Field(default=None, alias="from", description="Started then or later")
    started_before: MomentOrDate | None = Field(default=None, alias="to", description="Started before then")
    limit: Limit = PAGE
    cursor: Cursor = None

    def query(self) -> PurchaseQuery:
        """Return the query of the store. Raises Problem 422 for a period that ends before it begins."""
        if self.started_from and self.started_before and self.started_before <= self.started_from:
            raise period_empty()
        return PurchaseQuery(
            workspace_id=self.workspace,
            status=self.status,
            stripe_id=self.stripe_id,
            started_from=self.started_from,
            started_before=self.started_before,
        )


async def page_of(
    session: AsyncSession, query: PurchaseQuery, *, limit: int, cursor: str | None
) -> tuple[Sequence[Purchase], str | None]:
    """Return up to `limit` purchases behind `cursor`, newest first, and the next cursor. Raises InvalidCursor."""
    position = position_of(cursor, PurchasePosition)
    after = (position.started_at, position.id) if position else None
    found = await search.page(session, query, after=after, limit=limit + 1)
    return cut_page(found, limit, lambda last: PurchasePosition(started_at=last.started_at, id=last.id))


def period_empty() -> Problem:
    return Problem(422, "period-empty", "This period ends before it begins", field="to")
