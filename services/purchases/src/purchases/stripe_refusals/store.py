"""What Stripe refused: kept, counted up when it comes again, listed for staff, forgotten after 90 days."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.stripe_refusals.rows import StripeRefusal

KEPT_FOR: Final = timedelta(days=90)
LONGEST: Final = 1000
"""Characters of what Stripe says that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refused request, and for whom it was made."""

    workspace_id: str
    purchase_id: uuid.UUID | None
    call: str
    http_status: int | None
    code: str | None
    message: str
    param: str | None
    stripe_request_id: str | None

    @property
    def key(self) -> str:
        """Return what makes it the same as another one."""
        return f"{self.purchase_id or self.workspace_id}:{self.call}:{(self.code or '')[:LONGEST]}"


async def keep(session: AsyncSession, refusal: Refusal) -> None:
    """Store it, or count the one that is known up; what is older than 90 days goes."""
    values = {
        "http_status": refusal.http_status,
        "code": refusal.code,
        "message": refusal.message[:LONGEST],
        "param": refusal.param,
        "stripe_request_id": refusal.stripe_request_id,
    }
    whose = {"workspace_id": refusal.workspace_id, "purchase_id": refusal.purchase_id, "call": refusal.call}
    row = insert(StripeRefusal).values(key=refusal.key, **whose, **values)
    again = values | {"times": StripeRefusal.times + 1, "last_at": func.now()}
    await session.execute(row.on_conflict_do_update(index_elements=[StripeRefusal.key], set_=again))
    await session.execute(delete(StripeRefusal).where(StripeRefusal.last_at < func.now() - KEPT_FOR))


async def page(
    session: AsyncSession,
    *,
    workspace_id: str | None,
    purchase_id: uuid.UUID | None,
    after: tuple[datetime, int] | None,
    limit: int,
) -> Sequence[StripeRefusal]:
    """Return up to `limit` of them, the newest first, behind `after`; of one workspace or purchase, or of all."""
    newest = (StripeRefusal.last_at, StripeRefusal.id)
    wanted = select(StripeRefusal).order_by(*(column.desc() for column in newest)).limit(limit)
    if workspace_id is not None:
        wanted = wanted.where(StripeRefusal.workspace_id == workspace_id)
    if purchase_id is not None:
        wanted = wanted.where(StripeRefusal.purchase_id == purchase_id)
    if after is not None:
        wanted = wanted.where(tuple_(*newest) < after)
    return (await session.execute(wanted)).scalars().all()
