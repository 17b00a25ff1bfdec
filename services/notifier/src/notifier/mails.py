"""The rows of `mails`: queued once per key, leased to a sender, then sent, tried later, or parked for staff."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Integer, Text, Update, all_, any_, column, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.counting import count_up_to
from chassis.texts import printable
from notifier.tables import MAILS

ERROR_LENGTH: Final = 1000
_SHOWN: Final = select(
    MAILS.c.key,
    MAILS.c.letter,
    MAILS.c.fact_type,
    MAILS.c.fact["purchase_id"].astext.label("purchase_id"),
    MAILS.c.fact["workspace_id"].astext.label("workspace_id"),
    MAILS.c.attempts,
    MAILS.c.last_error,
    MAILS.c.queued_at,
    MAILS.c.due_at,
    MAILS.c.sent_at,
    MAILS.c.parked_at,
    MAILS.c.ended_at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMail:
    """A mail as its fact calls for it."""

    key: str
    letter: str
    fact_type: str
    fact: dict[str, Any]
    traceparent: str | None = None
    """The trace of the fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMail:
    """A mail that is ours to send until its lease ends. `attempts` counts this one."""

    key: str
    letter: str
    fact_type: str
    fact: dict[str, Any]
    queued_at: datetime
    attempts: int
    traceparent: str | None = None
    unanswered: int = 0
    """How often it was handed over before, and nobody said whether it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMail:
    """A mail as staff may see it: whom it concerns by id, and nobody's address."""

    key: str
    letter: str
    fact_type: str
    purchase_id: str | None
    workspace_id: str | None
    attempts: int
    last_error: str | None
    queued_at: datetime
    due_at: datetime | None
    sent_at: datetime | None
    parked_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What has not gone out: the age of the oldest waiting mail in seconds, and how many are parked."""

    oldest_seconds: float
    parked: int


async def queue(session: AsyncSession, new: Sequence[NewMail]) -> None:
    """Store the mails that are not known yet."""
    if not new:
        return
    # In one order, so that two consumers with the same facts wait for each other instead of deadlocking.
    rows = [
        {
            "key": mail.key,
            "letter": mail.letter,
            "fact_type": mail.fact_type,
            "fact": mail.fact,
            "traceparent": mail.traceparent,
        }
        for mail in sorted(new, key=lambda mail: mail.key)
    ]
    await session.execute(insert(MAILS).on_conflict_do_nothing(), rows)


async def lease(session: AsyncSession, *, limit: int, duration: timedelta, in_flight: Collection[str]) -> list[DueMail]:
    """Take up to `limit` mails that are due. Nobody else gets them before `duration` is over."""
    due = (
        select(MAILS.c.key)
        .where(MAILS.c.due_at <= func.now(), MAILS.c.fact.is_not(None), MAILS.c.key != all_(_keys(in_flight)))
        .order_by(MAILS.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = (
        update(MAILS)
        .where(MAILS.c.key == due.c.key)
        .values(due_at=func.now() + duration, attempts=MAILS.c.attempts + 1)
        .returning(
            MAILS.c.key,
            MAILS.c.letter,
            MAILS.c.fact_type,
            MAILS.c.fact,
            MAILS.c.queued_at,
            MAILS.c.attempts,
            MAILS.c.traceparent,
            MAILS.c.unanswered,
        )
    )
    return [DueMail(**row) for row in (await session.execute(taken)).mappings()]


async def renew(session: AsyncSession, held: Sequence[DueMail], *, duration: timedelta) -> None:
    """Let leases that are still ours last `duration` from now; a row whose outcome is being stored is left alone."""
    if not held:
        return
    pairs = func.unnest(_keys([mail.key for mail in held]), literal([mail.attempts for mail in held], ARRAY(Integer)))
    ours = pairs.table_valued(column("key", Text), column("attempts", Integer)).render_derived(name="ours")
    rows = (
        select(MAILS.c.key)
        .join(ours, (MAILS.c.key == ours.c.key) & (MAILS.c.attempts == ours.c.attempts))
        .where(MAILS.c.due_at.is_not(None))
        .with_for_update(of=MAILS, skip_locked=True)
        .cte("rows")
    )
    # Never earlier: its outcome may have been stored just now, and be far away.
    later = func.greatest(MAILS.c.due_at, func.now() + duration)
    await session.execute(update(MAILS).where(MAILS.c.key == rows.c.key).values(due_at=later))


async def mark_sent(session: AsyncSession, sent_mails: Sequence[DueMail]) -> None:
    """Mark mails as accepted by the mail server, whoever holds their leases by now."""
    if not sent_mails:
        return
    sent = {"sent_at": func.now(), "due_at": None, "parked_at": None, "ended_at": None, "last_error": None}
    await session.execute(
        update(MAILS).where(MAILS.c.key == any_(_keys([mail.key for mail in sent_mails]))).values(sent)
    )


async def postpone(
    session: AsyncSession, mail: DueMail, *, seconds: float, error: str, unanswered: bool = False
) -> None:
    """Make a mail due again in `seconds`. One that is `unanswered` was handed over, and may have been taken."""
    later = {"due_at": func.now() + timedelta(seconds=seconds), "last_error": printable(error[:ERROR_LENGTH])}
    await session.execute(_still_ours(mail).values(unanswered=MAILS.c.unanswered + int(unanswered), **later))


async def release(session: AsyncSession, untried: Sequence[DueMail]) -> None:
    """Give leases back that were not used."""
    for mail in untried:
        await session.execute(_still_ours(mail).values(due_at=func.now(), attempts=MAILS.c.attempts - 1))


async def park(session: AsyncSession, mail: DueMail, *, reason: str) -> None:
    """Set a mail aside that can never be sent as it stands, with its reason until an operator has it sent again."""
    parked = {"parked_at": func.now(), "due_at": None, "last_error": printable(reason[:ERROR_LENGTH])}
    await session.execute(_still_ours(mail).values(parked))


async def resend(session: AsyncSession, key: str) -> bool:
    """Queue a sent, parked or ended mail anew; False when it is unknown, forgotten, or waits for its turn already."""
    return bool(await _requeue(session, MAILS.c.key == key))


async def resend_parked(session: AsyncSession) -> list[str]:
    """Queue every parked mail anew; their keys."""
    return await _requeue(session, MAILS.c.parked_at.is_not(None))


async def retry_parked(session: AsyncSession, key: str) -> bool:
    """Queue a parked mail anew; False when it is not parked."""
    return bool(await _requeue(session, (MAILS.c.key == key) & MAILS.c.parked_at.is_not(None)))


async def end(session: AsyncSession, key: str) -> bool:
    """End a parked mail: it is never sent; False when it is not parked."""
    parked = update(MAILS).where(MAILS.c.key == key, MAILS.c.parked_at.is_not(None))
    ended = parked.values(parked_at=None, ended_at=func.now()).returning(MAILS.c.key)
    return (await session.execute(ended)).first() is not None


async def parked_mails(session: AsyncSession, *, limit: int) -> list[ParkedMail]:
    """Return the parked mails, the oldest first."""
    waiting = _SHOWN.where(MAILS.c.parked_at.is_not(None)).order_by(MAILS.c.parked_at).limit(limit)
    return [ParkedMail(**row) for row in (await session.execute(waiting)).mappings()]


async def find(session: AsyncSession, key: str) -> ParkedMail | None:
    """Return one mail in whatever state; None where there is none of this key."""
    row = (await session.execute(_SHOWN.where(MAILS.c.key == key))).mappings().first()
    return ParkedMail(**row) if row else None


async def backlog(session: AsyncSession) -> Backlog:
    """Return what the gauges show, at a cost that does not grow with it; parked mails are counted up to AT_MOST."""
    oldest = select(func.extract("epoch", func.now() - func.min(MAILS.c.queued_at))).where(MAILS.c.due_at.is_not(None))
    parked = count_up_to(MAILS, MAILS.c.parked_at.is_not(None))
    row = (await session.execute(select(oldest.scalar_subquery(), parked))).one()
    return Backlog(oldest_seconds=float(row[0] or 0), parked=row[1])


async def forget(session: AsyncSession, *, older_than: timedelta) -> int:
    """Drop the facts of mails sent or ended long ago. The keys stay: what was sent is never sent again."""
    forgotten = 0
    for since in (MAILS.c.sent_at, MAILS.c.ended_at):
        old = update(MAILS).where(since < func.now() - older_than, MAILS.c.fact.is_not(None))
        gone = await session.execute(old.values(fact=None, last_error=None).returning(MAILS.c.key))
        forgotten += len(gone.all())
    return forgotten


def _keys(keys: Collection[str]) -> ColumnElement[Sequence[str]]:
    """Return one array instead of a list of parameters: one statement, prepared once, however many there are."""
    return literal(list(keys), ARRAY(Text))


def _still_ours(mail: DueMail) -> Update:
    return update(MAILS).where(MAILS.c.key == mail.key, MAILS.c.attempts == mail.attempts, MAILS.c.due_at.is_not(None))


async def _requeue(session: AsyncSession, which: ColumnElement[bool]) -> list[str]:
    anew = {
        "due_at": func.now(),
        "queued_at": func.now(),
        "attempts": 0,
        "unanswered": 0,
        "sent_at": None,
        "parked_at": None,
        "ended_at": None,
        "last_error": None,
    }
    known = update(MAILS).where(which, MAILS.c.due_at.is_(None), MAILS.c.fact.is_not(None))
    return list(await session.scalars(known.values(anew).returning(MAILS.c.key)))
