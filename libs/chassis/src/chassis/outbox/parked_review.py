"""What a consumer has set aside, for the people who look at it: as a list, and decided about one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import wake_after_commit
from chassis.outbox import parked
from chassis.outbox.parked import PARKED
from chassis.process.logs import get_logger
from chassis.texts import printable

log = get_logger(__name__)

SHOWN: Final = 200
MAX_BODY: Final = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """One record; `type` is None where it held no fact, `record` says where on Kafka it lay."""

    id: int
    type: str | None
    record: str
    reason: str
    waits_for: str | None
    attempts: int
    parked_at: datetime
    retry_at: datetime | None
    resolved_at: datetime | None
    resolution: str | None
    body: str
    """The record's value as text, with escapes; its beginning, where it is long."""


async def set_aside(session: AsyncSession, *, consumer: str) -> Sequence[SetAside]:
    """Return what is not resolved, the oldest first, and at most SHOWN of it."""
    waiting = select(PARKED).where(PARKED.c.consumer == consumer, PARKED.c.resolved_at.is_(None))
    rows = await session.execute(waiting.order_by(PARKED.c.parked_at).limit(SHOWN))
    return [_item(row) for row in rows.mappings()]


async def find(session: AsyncSession, *, parked_id: int, consumer: str) -> SetAside | None:
    """Return one, set aside or done with; None for what never was."""
    one = select(PARKED).where(PARKED.c.id == parked_id, PARKED.c.consumer == consumer)
    row = (await session.execute(one)).mappings().first()
    return _item(row) if row else None


async def retry(session: AsyncSession, *, parked_id: int, consumer: str, actor: str) -> bool:
    """Have one tried again after this commit; return False where it is not set aside."""
    found = await parked.retry_one(session, parked_id=parked_id, consumer=consumer)
    if found:
        log.info("parked_item_decided", consumer=consumer, parked=parked_id, decision="retry", actor=actor)
    return found


async def retry_all(session: AsyncSession, *, consumer: str, actor: str) -> list[int]:
    """Have everything that is set aside tried again after this commit; return the ids.

    What is being tried at this moment is passed over.
    """
    waiting = select(PARKED.c.id).where(PARKED.c.consumer == consumer, PARKED.c.resolved_at.is_(None))
    due = update(PARKED).where(PARKED.c.id.in_(waiting.with_for_update(skip_locked=True))).values(retry_at=func.now())
    ids = list(await session.scalars(due.returning(PARKED.c.id)))
    if ids:
        wake_after_commit(session, parked.CHANNEL)
        log.info("parked_items_retried", consumer=consumer, number=len(ids), actor=actor)
    return ids


async def discard(session: AsyncSession, *, parked_id: int, consumer: str, actor: str, reason: str) -> bool:
    """End one unapplied, with who did it and why; return False where it is not set aside."""
    resolution = f"discarded by {actor}: {reason}"
    found = await parked.discard_one(session, parked_id=parked_id, consumer=consumer, resolution=resolution)
    if found:
        log.info("parked_item_decided", consumer=consumer, parked=parked_id, decision="discard", actor=actor)
    return found


def _item(row: Any) -> SetAside:
    return SetAside(
        id=row["id"],
        type=row["type"],
        record=f"{row['topic']}/{row['partition']}@{row['offset']}",
        reason=row["reason"],
        waits_for=row["waits_for"],
        attempts=row["attempts"],
        parked_at=row["parked_at"],
        retry_at=row["retry_at"],
        resolved_at=row["resolved_at"],
        resolution=row["resolution"],
        body=printable((row["value"] or b"")[:MAX_BODY].decode("utf-8", "backslashreplace")),
    )
