"""The epochs of a database: its lives from one restored copy to the next. Until one is read back, nothing is sold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL: Final = "epochs"
_UNREAD: Final = text("select epoch, began_at, reason, stretches from epochs where ended_at is null order by epoch")
_END: Final = text("""
    update epochs set ended_at = clock_timestamp(), ended_by = :by, end_reason = :reason
    where ended_at is null and epoch = any(:epochs)
""")
_STATE: Final = text("""
    select coalesce(sum(missing_facts), 0)::bigint,
        coalesce(extract(epoch from clock_timestamp() - min(began_at)), 0)::float8
    from epochs where ended_at is null
""")


@dataclass(frozen=True, slots=True)
class Stretch:
    """The records of one partition from offset `first` up to and without `end`."""

    topic: str
    partition: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class UnreadEpoch:
    """An epoch whose facts of before have not been read back yet, and where they lie."""

    epoch: int
    began_at: datetime
    reason: str
    stretches: Sequence[Stretch]


@dataclass(frozen=True, slots=True)
class Recovery:
    """How many published facts the ledger lacked when that was found, and for how many seconds it is read back."""

    missing_facts: int
    seconds: float


def id_in_epoch(fact_id: UUID, epoch: int | None) -> UUID:
    """Return the id under which a fact is published: of the first epoch its own; no two epochs share one."""
    return uuid5(fact_id, str(epoch)) if epoch else fact_id


async def is_recovering(session: AsyncSession) -> bool:
    """Return whether this database is a restored copy that has not been read back. Nothing is sold meanwhile."""
    found = await session.execute(text("select exists (select from epochs where ended_at is null)"))
    return bool(found.scalar_one())


async def changed_within(session: AsyncSession, period: timedelta) -> bool:
    """Return whether the database was found to be a restored copy within the last `period`."""
    since = "clock_timestamp() - cast(:period as interval)"
    recent = text(f"select exists (select from epochs where epoch > 0 and began_at > {since})")  # noqa: S608
    return bool((await session.execute(recent, {"period": period})).scalar_one())


async def unread(session: AsyncSession) -> Sequence[UnreadEpoch]:
    """Return the epochs that are not read back, the oldest first."""
    rows = (await session.execute(_UNREAD)).all()
    return [UnreadEpoch(epoch, began, why, [Stretch(*one) for one in places]) for epoch, began, why, places in rows]


async def end(session: AsyncSession, *, epochs: Sequence[int], by: str, reason: str) -> int:
    """Let selling go on after these epochs; return how many of them were not ended before."""
    ended = await session.execute(_END, {"epochs": list(epochs), "by": by, "reason": reason})
    return int(getattr(ended, "rowcount", 0))


async def state(session: AsyncSession) -> Recovery:
    """Return how far recovery is; zeros where there is nothing to recover."""
    return Recovery(*(await session.execute(_STATE)).one())
