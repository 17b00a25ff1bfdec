"""`stripe_commands`: ask for a call to Stripe in a transaction, take one that is due, end or postpone it."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Integer, case, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import wake_after_commit
from purchases.jobs.rows import JobRow

CHANNEL: Final = "stripe_commands"
LEASE: Final = timedelta(seconds=180)
"""Longer than the calls of any command: Stripe's client gives one up after 3 times 10 seconds."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command that was taken; `version` tells whether it was asked for again meanwhile."""

    id: int
    kind: str
    key: str
    subject: str
    arguments: dict[str, Any]
    version: int
    attempts: int

    @property
    def purchase_id(self) -> uuid.UUID:
        """The purchase that it is about: its subject, or named in its arguments."""
        return uuid.UUID(self.arguments.get("purchase_id", self.subject))


async def ask(
    session: AsyncSession,
    *,
    kind: str,
    subject: str,
    after: timedelta = timedelta(0),
    **arguments: Any,
) -> None:
    """Have `kind` done for `subject` after this commit. Asked twice it is one row, due at the earlier time."""
    await ask_each(session, kind=kind, wanted={subject: arguments}, after=after)


async def ask_each(
    session: AsyncSession, *, kind: str, wanted: Mapping[str, Mapping[str, Any]], after: timedelta = timedelta(0)
) -> None:
    """Have `kind` done for each subject, with its arguments, in one statement."""
    if not wanted:
        return
    row = insert(JobRow).values(
        [
            {
                "kind": kind,
                "key": f"{kind}:{subject}",
                "subject": subject,
                "arguments": dict(arguments),
                "due_at": func.now() + after,
            }
            for subject, arguments in sorted(wanted.items())
        ]
    )
    was_open = JobRow.state == "open"
    again = {
        "state": "open",
        "version": JobRow.version + 1,
        "due_at": case((was_open, func.least(JobRow.due_at, row.excluded.due_at)), else_=row.excluded.due_at),
        "attempts": case((was_open, JobRow.attempts), else_=0),
        "arguments": row.excluded.arguments,
        "ended_at": None,
    }
    await session.execute(row.on_conflict_do_update(index_elements=[JobRow.key], set_=again))
    if after <= timedelta(0):
        wake_after_commit(session, CHANNEL)


async def is_open(session: AsyncSession, *, kind: str, subject: str) -> bool:
    """Return whether such a command waits to be carried out, or is."""
    one = JobRow.key == f"{kind}:{subject}"
    return bool(await session.scalar(select(exists().where(one, JobRow.state == "open"))))


async def take(session: AsyncSession, *, kinds: Collection[str]) -> Command | None:
    """Lease the command of these kinds that is due for longest; nobody else takes it while the lease runs.

    What this version does not know is left to the workers of a newer one: during a rollout both run.
    """
    # now() and not clock_timestamp(), which changes while a statement runs and so can be no condition of an index.
    due = (
        select(JobRow)
        .where(
            JobRow.state == "open",
            JobRow.due_at <= func.now(),
            JobRow.kind.in_(kinds),
            or_(JobRow.leased_until.is_(None), JobRow.leased_until < func.now()),
        )
        .order_by(JobRow.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await session.execute(due)).scalar_one_or_none()
    if row is None:
        return None
    row.leased_until = datetime.now(UTC) + LEASE
    row.attempts += 1
    return Command(row.id, row.kind, row.key, row.subject, row.arguments, row.version, row.attempts)


async def end(session: AsyncSession, command: Command) -> None:
    """The command is done, unless it was asked for again while it ran."""
    done = {"state": "done", "ended_at": func.now(), "last_error": None, "leased_until": None}
    ended = update(JobRow).where(JobRow.id == command.id, JobRow.version == command.version)
    if (await session.execute(ended.values(done).returning(JobRow.id))).first() is None:
        await _leave_open(session, command, due_in=timedelta(0), error=None)


async def postpone(session: AsyncSession, command: Command, *, due_in: timedelta, error: str | None = None) -> None:
    """Try again in `due_in`, or at once when it was asked for again while it ran."""
    later = (
        update(JobRow)
        .where(JobRow.id == command.id, JobRow.version == command.version)
        .values(due_at=func.now() + due_in, leased_until=None, last_error=error)
    )
    if (await session.execute(later.returning(JobRow.id))).first() is None:
        await _leave_open(session, command, due_in=None, error=error)


async def set_aside(session: AsyncSession, command: Command, *, error: str) -> None:
    """Stripe refuses it for good: staff must look; unless it was asked for again while it ran."""
    parked = {"state": "parked", "ended_at": func.now(), "last_error": error[:2000], "leased_until": None}
    ended = update(JobRow).where(JobRow.id == command.id, JobRow.version == command.version)
    if (await session.execute(ended.values(parked).returning(JobRow.id))).first() is None:
        await _leave_open(session, command, due_in=timedelta(0), error=error[:2000])


AGAIN: Final[dict[str, Any]] = {
    "state": "open",
    "version": JobRow.version + 1,
    "attempts": 0,
    "due_at": func.now(),
    "ended_at": None,
    "arguments": JobRow.arguments.concat(
        func.jsonb_build_object(
            "attempt", func.coalesce(JobRow.arguments["attempt"].as_integer(), 1) + literal(1, Integer)
        )
    ),
}
"""What makes a parked command one that is open, under the next attempt."""


async def reopen(session: AsyncSession, command_id: int) -> bool:
    """Have a parked command carried out after this commit; False when it is not parked.

    Stripe repeats a refusal under the key that met it: the next attempt, which looks first, has a key of its own.
    """
    again = update(JobRow).where(JobRow.id == command_id, JobRow.state == "parked")
    if (await session.execute(again.values(AGAIN).returning(JobRow.id))).first() is None:
        return False
    wake_after_commit(session, CHANNEL)
    return True


async def reopen_many(session: AsyncSession, *, kind: str | None, after: int, limit: int) -> Sequence[int]:
    """Do so for the first `limit` parked commands behind the id `after`, of one kind or of all; their ids, in order."""
    wanted = select(JobRow.id).where(JobRow.state == "parked", JobRow.id > after)
    if kind is not None:
        wanted = wanted.where(JobRow.kind == kind)
    chosen = wanted.order_by(JobRow.id).limit(limit).with_for_update(skip_locked=True)
    again = update(JobRow).where(JobRow.id.in_(chosen)).values(AGAIN).returning(JobRow.id)
    reopened = sorted((await session.execute(again)).scalars())
    if reopened:
        wake_after_commit(session, CHANNEL)
    return reopened


async def discard(session: AsyncSession, command_id: int) -> bool:
    """End a parked command undone; False when it is not parked."""
    ended = update(JobRow).where(JobRow.id == command_id, JobRow.state == "parked")
    values = {"state": "discarded", "ended_at": func.now()}
    return (await session.execute(ended.values(values).returning(JobRow.id))).first() is not None


async def prune(session: AsyncSession, kept: timedelta, limit: int) -> int:
    """Delete up to `limit` commands that ended longer than `kept` ago, done or discarded; return how many.

    One that is asked for again at this moment is passed over; asked for later, it is a new row.
    """
    old = (
        select(JobRow.id)
        .where(JobRow.state.in_(("done", "discarded")), JobRow.ended_at < func.now() - kept)
        .order_by(JobRow.ended_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = await session.execute(delete(JobRow).where(JobRow.id.in_(old)).returning(JobRow.id))
    return len(gone.all())


async def next_attempt(session: AsyncSession, command: Command, *, attempt: int) -> None:
    """Stripe has stored a 5xx under the last attempt's idempotency key: the next one, after a look, has its own."""
    statement = update(JobRow).where(JobRow.id == command.id)
    await session.execute(statement.values(arguments=command.arguments | {"attempt": attempt}))


async def _leave_open(session: AsyncSession, command: Command, *, due_in: timedelta | None, error: str | None) -> None:
    values: dict[str, Any] = {"leased_until": None, "last_error": error}
    if due_in is not None:
        values["due_at"] = func.now() + due_in
    await session.execute(update(JobRow).where(JobRow.id == command.id).values(values))
    wake_after_commit(session, CHANNEL)
