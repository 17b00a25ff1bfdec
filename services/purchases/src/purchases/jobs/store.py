"""`stripe_commands`: enqueue a job in a transaction, take one that is due, end or postpone it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Integer, case, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.counting import count_up_to
from chassis.database.database import wake_after_commit
from chassis.tracing import spans
from purchases.jobs.job import Job
from purchases.jobs.kinds import (
    MakeRefund,
    Numbered,
    ReconcileCheckout,
    ReconcilePurchase,
    RefundUnmatchedPayment,
    ReturnCredit,
    VoidInvoice,
)
from purchases.jobs.rows import JobRow

CHANNEL: Final = "stripe_commands"
LEASE: Final = timedelta(seconds=180)
"""Longer than the calls of any job: Stripe's client gives one up after 3 times 10 seconds."""
FIRST: Final = frozenset(
    kind.KIND
    for kind in (ReconcilePurchase, VoidInvoice, ReconcileCheckout, MakeRefund, ReturnCredit, RefundUnmatchedPayment)
)
"""What somebody waits for: a sale that is undecided, a slot that is to be free, money that goes back."""
OVERDUE: Final = timedelta(minutes=10)
"""By then a rollout is over, and the workers of a newer version have taken what only they know."""

JobT_co = TypeVar("JobT_co", bound=Job, covariant=True)


@dataclass(frozen=True, slots=True)
class LeasedRow:
    """A row that a worker has leased; `version` says whether it was enqueued again meanwhile.

    `leased_until` is its lease's own: nobody else's ends at the same microsecond.
    """

    id: int
    kind: str
    subject: str
    arguments: dict[str, Any]
    version: int
    attempts: int
    leased_until: datetime
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[JobT_co]):
    """A job that a worker is at, the number of its row, and which try of it this is, from 1."""

    id: int
    attempts: int
    job: JobT_co


async def enqueue(session: AsyncSession, *jobs: Job, after: timedelta = timedelta(0)) -> None:
    """Have the jobs done after this commit. Wanted twice, one is one row, due at the earlier time."""
    if not jobs:
        return
    by_key = {key_of(type(job), job.subject): job for job in jobs}
    row = insert(JobRow).values(
        [
            {
                "kind": job.KIND,
                "key": key,
                "subject": job.subject,
                "arguments": job.arguments,
                "due_at": func.now() + after,
                "traceparent": spans.traceparent(),
            }
            for key, job in sorted(by_key.items())
        ]
    )
    was_open = JobRow.state == "open"
    again = {
        "state": "open",
        "version": JobRow.version + 1,
        "due_at": case((was_open, func.least(JobRow.due_at, row.excluded.due_at)), else_=row.excluded.due_at),
        "attempts": case((was_open, JobRow.attempts), else_=0),
        "arguments": row.excluded.arguments,
        "traceparent": row.excluded.traceparent,
        "ended_at": None,
    }
    await session.execute(row.on_conflict_do_update(index_elements=[JobRow.key], set_=again))
    if after <= timedelta(0):
        wake_after_commit(session, CHANNEL)


def key_of(kind: type[Job], subject: str) -> str:
    """Return the key of the row, which there is once."""
    return f"{kind.KIND}:{subject}"


async def is_open(session: AsyncSession, kind: type[Job], subject: str) -> bool:
    """Return whether such a job waits for a worker, or is under way."""
    row = JobRow.key == key_of(kind, subject)
    return bool(await session.scalar(select(exists().where(row, JobRow.state == "open"))))


async def take(session: AsyncSession, *, kinds: Collection[str], alone: bool = False) -> LeasedRow | None:
    """Lease the job of these kinds that is due for longest, FIRST before others, for `LEASE` by the database's clock.

    What this version does not know is left to the workers of a newer one: during a rollout both run. With `alone`
    none is taken while another of these kinds is under way, in whichever process.
    """
    # now() and not clock_timestamp(), which changes while a statement runs and so can be no condition of an index.
    due = (
        select(JobRow, func.now())
        .where(
            JobRow.state == "open",
            JobRow.due_at <= func.now(),
            JobRow.kind.in_(kinds),
            or_(JobRow.leased_until.is_(None), JobRow.leased_until < func.now()),
        )
        .order_by(case((JobRow.kind.in_(FIRST), 0), else_=1), JobRow.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = (await session.execute(due)).one_or_none()
    if found is None or (alone and await _is_one_under_way(session, kinds)):
        return None
    row, now = found
    row.leased_until = until = now + LEASE
    row.attempts += 1
    return LeasedRow(row.id, row.kind, row.subject, row.arguments, row.version, row.attempts, until, row.traceparent)


async def _is_one_under_way(session: AsyncSession, kinds: Collection[str]) -> bool:
    """Return whether a job of these kinds is leased; whoever asks at the same time is answered after this commit."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("one job of a set of kinds", 0))))
    leased = (JobRow.state == "open", JobRow.kind.in_(kinds), JobRow.leased_until >= func.now())
    return bool(await session.scalar(select(exists().where(*leased))))


async def count_unknown(session: AsyncSession, *, kinds: Collection[str]) -> int:
    """Return how many jobs of other kinds are overdue, counted up to 10,000: no worker that runs knows them."""
    overdue = (JobRow.state == "open", JobRow.due_at < func.now() - OVERDUE)
    return (await session.scalar(select(count_up_to(JobRow.__table__, *overdue, JobRow.kind.not_in(kinds))))) or 0


async def overdue_seconds(session: AsyncSession, *, kinds: Collection[str]) -> float:
    """Return for how long the first job that is due, and that nobody is at, has been due; 0 where there is none."""
    oldest = (
        select(func.extract("epoch", func.now() - JobRow.due_at))
        .where(
            JobRow.state == "open",
            JobRow.due_at <= func.now(),
            JobRow.kind.in_(kinds),
            or_(JobRow.leased_until.is_(None), JobRow.leased_until < func.now()),
        )
        .order_by(JobRow.due_at)
        .limit(1)
    )
    return float((await session.scalar(oldest)) or 0)


async def end(session: AsyncSession, row: LeasedRow) -> None:
    """Record that the job is done, unless it was enqueued again while it ran."""
    if not await _leave(session, row, state="done", ended_at=func.now(), last_error=None):
        await _leave_open(session, row, due_in=timedelta(0), error=None)


async def postpone(session: AsyncSession, row: LeasedRow, *, due_in: timedelta, error: str | None = None) -> None:
    """Have it tried again in `due_in`, or at once when it was enqueued again while it ran."""
    if not await _leave(session, row, due_at=func.now() + due_in, last_error=error):
        await _leave_open(session, row, due_in=None, error=error)


async def give_back(session: AsyncSession, row: LeasedRow) -> None:
    """Let another worker take it at once, unless somebody has taken it since.

    Attempts alone do not say that, which begin anew with a job enqueued after its end; its version says too much: one
    that was enqueued again while it ran is still ours.
    """
    await session.execute(update(JobRow).where(*_ours(row)).values(leased_until=None))
    wake_after_commit(session, CHANNEL)


async def set_aside(session: AsyncSession, row: LeasedRow, *, error: str) -> None:
    """Park it for staff, since Stripe refuses it for good; unless it was enqueued again while it ran."""
    if not await _leave(session, row, state="parked", ended_at=func.now(), last_error=error[:2000]):
        await _leave_open(session, row, due_in=timedelta(0), error=error[:2000])


async def _leave(session: AsyncSession, row: LeasedRow, **values: Any) -> bool:
    """Write `values` and release the lease; return False, with nothing written, where it was enqueued again.

    Or where the lease ran out, and another worker has it.
    """
    leased = update(JobRow).where(*_ours(row), JobRow.version == row.version)
    left = leased.values(**values, leased_until=None).returning(JobRow.id)
    return (await session.execute(left)).first() is not None


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
"""What makes a parked job one that is open, under the next attempt."""


async def reopen(session: AsyncSession, job_id: int) -> bool:
    """Have a parked job done after this commit; False when it is not parked.

    Stripe repeats a refusal under the key that met it: the next attempt, which looks first, has a key of its own.
    """
    again = update(JobRow).where(JobRow.id == job_id, JobRow.state == "parked")
    if (await session.execute(again.values(AGAIN).returning(JobRow.id))).first() is None:
        return False
    wake_after_commit(session, CHANNEL)
    return True


async def reopen_many(session: AsyncSession, *, kind: str | None, after: int, limit: int) -> Sequence[int]:
    """Reopen the first `limit` parked jobs behind the id `after`, of one kind or of all; return their ids, in order."""
    parked = select(JobRow.id).where(JobRow.state == "parked", JobRow.id > after)
    if kind is not None:
        parked = parked.where(JobRow.kind == kind)
    chosen = parked.order_by(JobRow.id).limit(limit).with_for_update(skip_locked=True)
    again = update(JobRow).where(JobRow.id.in_(chosen)).values(AGAIN).returning(JobRow.id)
    reopened = sorted((await session.execute(again)).scalars())
    if reopened:
        wake_after_commit(session, CHANNEL)
    return reopened


async def discard(session: AsyncSession, job_id: int) -> bool:
    """End a parked job undone; False when it is not parked."""
    ended = update(JobRow).where(JobRow.id == job_id, JobRow.state == "parked")
    values = {"state": "discarded", "ended_at": func.now()}
    return (await session.execute(ended.values(values).returning(JobRow.id))).first() is not None


async def prune(session: AsyncSession, kept: timedelta, limit: int) -> int:
    """Delete up to `limit` jobs that ended longer than `kept` ago, done or discarded; return how many.

    One that is enqueued again at this moment is passed over; enqueued later, it is a new row.
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


async def next_attempt(session: AsyncSession, task: Task[Numbered]) -> None:
    """Count the next try of the job, which so has an idempotency key of its own."""
    attempt = func.jsonb_build_object("attempt", literal(task.job.attempt + 1, Integer))
    row = update(JobRow).where(JobRow.id == task.id)
    await session.execute(row.values(arguments=JobRow.arguments.concat(attempt)))


async def _leave_open(session: AsyncSession, row: LeasedRow, *, due_in: timedelta | None, error: str | None) -> None:
    values: dict[str, Any] = {"leased_until": None, "last_error": error}
    if due_in is not None:
        values["due_at"] = func.now() + due_in
    await session.execute(update(JobRow).where(*_ours(row)).values(values))
    wake_after_commit(session, CHANNEL)


def _ours(row: LeasedRow) -> tuple[ColumnElement[bool], ...]:
    """Build the condition that the worker still has the row: another one that took it since has another lease."""
    return (
        JobRow.id == row.id,
        JobRow.state == "open",
        JobRow.leased_until == row.leased_until,
        JobRow.attempts == row.attempts,
    )
