"""Parked facts: set aside with their bytes, their reason and the id that they wait for; tried again when it is stored.

Any bytes can be parked: what describes a fault may itself be faulty, so reasons are written with escapes, header names
that are no text are kept as bytes, and at the last a row says no more than where the record lay.

Who parks on an id and who stores it both call `lock_ids` first, so that neither misses the other: the one alone, the
other beside others who store.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    MetaData,
    Select,
    Text,
    any_,
    case,
    cast,
    delete,
    func,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.counting import count_up_to
from chassis.database.database import wake_after_commit
from chassis.database.tables import parked_table
from chassis.kafka.records import MAX_REASON, Malformed, Received, Record, StoredRecord
from chassis.outbox.kept_records import bytes_of, columns_of, record_of
from chassis.texts import printable

CHANNEL: Final = "parked"
PARKED: Final = parked_table(MetaData())
TRIES: Final = 12
"""So often, within about three days, the timer tries what waits; then only a person, or the id that is stored, does."""
RETRY: Final = text("interval '30 seconds' * power(2, least(parked.attempts, 12))")
"""A timer retries all the same: 30 s, one minute, two … while there are TRIES left."""


@dataclass(frozen=True, slots=True)
class ParkedFact:
    """One parked record that is due to be tried again."""

    id: int
    attempts: int
    record: StoredRecord


Records = Sequence[StoredRecord]

LOCKS: Final = 256
"""So many locks stand for all ids: a batch of 500 invoices would hold 2,000, and PostgreSQL has room for 6,400."""
SPACE: Final = 0x7061726B
"""Of the advisory locks on ids, apart from those of others."""
LOCK: Final = text("""
    select case when alone then pg_advisory_xact_lock(:space, place)::text
        else pg_advisory_xact_lock_shared(:space, place)::text end
    from (
        select hashtext(id) & :last as place, bool_or(alone) as alone
        from unnest(cast(:ids as text[]), cast(:alone as bool[])) as named (id, alone) group by 1 order by 1
    ) as places
""").bindparams(space=SPACE, last=LOCKS - 1)


async def lock_ids(session: AsyncSession, ids: Collection[str], *, stored: Collection[str] = ()) -> None:
    """Lock `ids` to park on them, or to end what waits for them, and `stored` to store them.

    Who parks is alone; many may store at once. In one order and in one statement: what the transaction is going to
    store later belongs into `stored` here, or two transactions may wait for each other. Several ids share a lock.
    Rows are locked before, never after.
    """
    named = [(one, True) for one in ids] + [(one, False) for one in stored]
    if named:
        await session.execute(LOCK, {"ids": [one for one, _ in named], "alone": [alone for _, alone in named]})


async def park(
    session: AsyncSession,
    received: Received,
    *,
    consumer: str,
    reason: str,
    waits_for: str | None = None,
    again: bool | None = None,
) -> None:
    """Set `received` aside in this transaction; a fact parked anew keeps its row and counts one attempt more.

    The timer tries it again when it waits for an id, unless `again` says otherwise, up to TRIES times: a wake-up that
    learned nothing does not go on waking for ever.
    """
    is_timed = bool(waits_for) if again is None else again
    values = {
        **columns_of(received.record),
        "fact_id": received.envelope.id,
        "type": received.envelope.type,
        "consumer": consumer,
        "reason": _held(reason),
        "waits_for": waits_for,
        "retry_at": func.now() + text("interval '30 seconds'") if is_timed else None,
    }
    anew = {
        "reason": _held(reason),
        "waits_for": waits_for,
        "attempts": PARKED.c.attempts + 1,
        "retry_at": _next_try() if is_timed else None,
        "resolved_at": None,
        "resolution": None,
    }
    await session.execute(
        insert(PARKED)
        .values(values)
        .on_conflict_do_update(index_elements=[PARKED.c.consumer, PARKED.c.fact_id], set_=anew)
    )


def _next_try() -> ColumnElement[Any]:
    return case((PARKED.c.attempts + 1 < TRIES, func.now() + RETRY), else_=null())


async def park_malformed(session: AsyncSession, malformed: Sequence[Malformed], *, consumer: str) -> None:
    """Set records aside that hold no fact; the same record is parked once.

    The same is one with the same bytes at the same place: a topic that was made anew has other records there.
    """
    if not malformed:
        return
    rows = [{**columns_of(one.record), **_malformed(one.record, one.reason, consumer)} for one in malformed]
    await session.execute(insert(PARKED).values(rows).on_conflict_do_nothing())


async def park_minimal(session: AsyncSession, record: Record, *, consumer: str, reason: str) -> None:
    """Say at least where a record lay that cannot be set aside with its bytes, and why it was not applied."""
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset, "headers": []}
    row = place | _malformed(record, reason, consumer)
    await session.execute(insert(PARKED).values(row).on_conflict_do_nothing())


def _malformed(record: Record, reason: str, consumer: str) -> dict[str, Any]:
    return {"consumer": consumer, "reason": _held(reason), "digest": _digest(record)}


def _held(reason: str) -> str:
    return printable(reason[:MAX_REASON])


def _digest(record: Record) -> bytes:
    """Return what distinguishes two records at one place."""
    parts = [record.key, record.value, *(part for name, value in record.headers for part in (bytes_of(name), value))]
    return sha256(b"".join(b"-" if part is None else b"%d:%b" % (len(part), part) for part in parts)).digest()


async def release(session: AsyncSession, *, ids: Collection[str]) -> int:
    """Make what waits for one of `ids` due now. The caller holds `lock_ids` on them, as stored, and stores them.

    A fact that is being tried at this moment is passed over: waiting for it could be a deadlock, and it takes the lock
    on the id, that is to say sees what the caller stores, before it parks again.
    """
    if not ids:
        return 0
    due = update(PARKED).where(PARKED.c.id.in_(_takeable(ids))).values(retry_at=func.now()).returning(PARKED.c.id)
    released = len((await session.execute(due)).all())
    if released:
        wake_after_commit(session, CHANNEL)
    return released


def _takeable(ids: Collection[str]) -> Select[tuple[int]]:
    """Return what waits for one of `ids`, but for rows that another transaction holds."""
    return select(PARKED.c.id).where(_waits_for(ids), PARKED.c.resolved_at.is_(None)).with_for_update(skip_locked=True)


def _waits_for(ids: Collection[str]) -> ColumnElement[bool]:
    """Build the condition on an array, not a list of parameters: one statement, compiled once, for any number."""
    return PARKED.c.waits_for == any_(cast(list(ids), ARRAY(Text)))


async def count_open(session: AsyncSession, *, consumer: str) -> int:
    """Return how many facts are set aside and not resolved, at most `counting.AT_MOST`."""
    parked_now = count_up_to(PARKED, PARKED.c.consumer == consumer, PARKED.c.resolved_at.is_(None))
    return (await session.execute(select(parked_now))).scalar_one()


async def discard(session: AsyncSession, *, ids: Collection[str], resolution: str) -> int:
    """End what waits for one of `ids`, unapplied; `resolution` says why, for whoever looks later.

    As in `release`, a fact that is being tried at this moment is passed over: it parks itself again, and asks again
    for what ended the others. Who must not pass it over calls `hold` first.
    """
    ended = update(PARKED).where(PARKED.c.id.in_(_takeable(ids)))
    values = {"resolved_at": func.now(), "resolution": resolution}
    return len((await session.execute(ended.values(values).returning(PARKED.c.id))).all())


async def hold(session: AsyncSession, *, ids: Collection[str]) -> int:
    """Lock what waits for one of `ids`, once nobody tries it any more. Before any other row: the retry does so too."""
    waiting = select(PARKED.c.id).where(_waits_for(ids), PARKED.c.resolved_at.is_(None)).order_by(PARKED.c.id)
    return len((await session.execute(waiting.with_for_update())).all())


async def leave_to_staff(
    session: AsyncSession, *, ids: Collection[str], reason: str, types: Collection[str] | None = None
) -> Sequence[StoredRecord]:
    """Let what waits for one of `ids` wait for a person only, with the `reason` that they read; return the records.

    Of certain `types`, it is also tried again should its id be stored all the same: staff learned nothing else either.
    As `release`, it passes over a fact that is being tried at this moment.
    """
    waiting = _takeable(ids)
    values: dict[str, Any] = {"retry_at": None, "reason": _held(reason)}
    if types is None:
        values["waits_for"] = None
    else:
        waiting = waiting.where(PARKED.c.type.in_(types))
    left = update(PARKED).where(PARKED.c.id.in_(waiting)).values(values).returning(PARKED)
    return [record_of(row) for row in (await session.execute(left)).mappings()]


async def prune(
    session: AsyncSession, *, consumer: str, kept: timedelta, limit: int
) -> Sequence[tuple[int, UUID | None]]:
    """Delete up to `limit` records that are resolved for longer than `kept`; return the id and the fact's id of each.

    One that another transaction holds is passed over, and has its turn the next time.
    """
    old = (
        select(PARKED.c.id)
        .where(PARKED.c.consumer == consumer, PARKED.c.resolved_at < func.now() - kept)
        .order_by(PARKED.c.resolved_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = await session.execute(delete(PARKED).where(PARKED.c.id.in_(old)).returning(PARKED.c.id, PARKED.c.fact_id))
    return [(row.id, row.fact_id) for row in gone]


async def retry_one(session: AsyncSession, *, parked_id: int, consumer: str) -> bool:
    """Make one parked fact due now, whatever it waits for; False when it is not parked."""
    again = update(PARKED).where(*_open(parked_id, consumer)).values(retry_at=func.now())
    if (await session.execute(again.returning(PARKED.c.id))).first() is None:
        return False
    wake_after_commit(session, CHANNEL)
    return True


async def discard_one(session: AsyncSession, *, parked_id: int, consumer: str, resolution: str = "discarded") -> bool:
    """End one parked fact unapplied; False when it is not parked. Who did it, and why, is the caller's to keep."""
    values = {"resolved_at": func.now(), "resolution": _held(resolution)}
    ended = update(PARKED).where(*_open(parked_id, consumer)).values(values)
    return (await session.execute(ended.returning(PARKED.c.id))).first() is not None


def _open(parked_id: int, consumer: str) -> tuple[ColumnElement[bool], ...]:
    return PARKED.c.id == parked_id, PARKED.c.consumer == consumer, PARKED.c.resolved_at.is_(None)


async def take_due(session: AsyncSession, *, consumer: str) -> ParkedFact | None:
    """Take the next parked fact that is due, marked resolved; whoever parks it again undoes that."""
    # now() and not clock_timestamp(), which changes while a statement runs and so can be no condition of an index.
    due = (
        select(PARKED)
        .where(PARKED.c.consumer == consumer, PARKED.c.resolved_at.is_(None), PARKED.c.retry_at <= func.now())
        .order_by(PARKED.c.retry_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await session.execute(due)).mappings().first()
    if row is None:
        return None
    await session.execute(
        update(PARKED).where(PARKED.c.id == row["id"]).values(resolved_at=func.now(), resolution="applied")
    )
    return ParkedFact(id=row["id"], attempts=row["attempts"], record=record_of(row))


async def postpone(session: AsyncSession, *, parked_id: int, reason: str) -> None:
    """Keep a parked fact whose re-run raised; it is tried again later."""
    await session.execute(
        update(PARKED)
        .where(PARKED.c.id == parked_id)
        .values(
            reason=_held(reason),
            attempts=PARKED.c.attempts + 1,
            retry_at=_next_try(),
            resolved_at=None,
            resolution=None,
        )
    )
