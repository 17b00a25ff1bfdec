"""What Stripe refused: kept, counted up when it comes again, listed for staff, forgotten after 90 days."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.process.logs import get_logger
from purchases.stripe_api.client import StripeRefused
from purchases.stripe_refusals.rows import StripeRefusal

log = get_logger(__name__)

KEPT_FOR: Final = timedelta(days=90)
LONGEST: Final = 1000
"""Characters of what Stripe says that are kept."""


async def keep_refusal(
    database: Database, error: StripeRefused, *, workspace_id: str, purchase_id: uuid.UUID | None = None
) -> None:
    """Keep what Stripe refused, whatever the request was that met it, in a transaction of its own.

    It is in the log already: a database that is away changes no answer.
    """
    try:
        async with database.transaction() as session:
            await _keep(session, error, workspace_id, purchase_id)
    except Exception as fault:
        log.warning("refusal_not_kept", call=error.call, workspace=workspace_id, error=repr(fault)[:500])


async def _keep(session: AsyncSession, error: StripeRefused, workspace_id: str, purchase_id: uuid.UUID | None) -> None:
    """Store it, or count the one that is known up; what is older than 90 days goes."""
    key = f"{purchase_id or workspace_id}:{error.call}:{(error.code or '')[:LONGEST]}"
    values = {
        "http_status": error.http_status,
        "code": error.code,
        "message": error.message[:LONGEST],
        "param": error.param,
        "stripe_request_id": error.request_id,
    }
    whose = {"workspace_id": workspace_id, "purchase_id": purchase_id, "call": error.call}
    row = insert(StripeRefusal).values(key=key, **whose, **values)
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
