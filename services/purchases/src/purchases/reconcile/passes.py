"""How far back Stripe's lists are compared, how often, and how far each pass has come: in slices, step by step."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.jobs.kinds import Reconcile, ReconcilePeriods, ReconcileReach, ReconcileSubscriptions
from purchases.jobs.store import Task, enqueue
from purchases.jobs.stripe_context import DONE, Later, Result, WorkerContext
from purchases.reconcile import store as known
from purchases.reconcile.reconcile import take_dispute, take_payment, take_refund
from purchases.reconcile.rows import SweepPass
from purchases.reconcile.rules import REACH
from purchases.stripe_api.client import ObjectMissing
from purchases.stripe_api.fetch import fetch_dispute
from purchases.stripe_api.reading import Fetched
from purchases.stripe_api.since import Stretch, disputes, paid_invoices, refunds

EVENTS_TAKE: Final = timedelta(minutes=2)
"""What is younger is left to its event, which is on its way: else it would be counted as missed."""
RELAY_TAKES: Final = timedelta(seconds=30)
SLICE_SECONDS: Final = 15.0
SLICE: Final = 500
"""Objects. After a slice another reach, or what runs, has its turn."""
A_MOMENT: Final = timedelta(milliseconds=10)
A_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back a pass looks, and after how long the next one is due."""

    back: timedelta
    every: timedelta


REACHES: Final[Mapping[str, Reach]] = {
    "hour": Reach(timedelta(minutes=75), timedelta(minutes=10)),
    "day": Reach(timedelta(hours=26), timedelta(hours=1)),
    "month": Reach(REACH, timedelta(days=1)),
}
"""Each looks back further than it has to, since the one before may have been late."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step goes on: before what was made then, or behind an id."""

    made_before: datetime
    after_id: str = ""


Step = Callable[[WorkerContext, Stretch, Place], Awaitable[Place | None]]
"""Compares a slice; returns where the next one goes on, None when the step is over."""


async def start_sweep(session: AsyncSession, instance: str) -> None:
    """Have everything compared now, after this commit: a pass of each reach, and what runs.

    A pass that is under way goes on; what is younger than it, a shorter reach compares.
    """
    await enqueue(session, Reconcile(instance=instance))


async def start_sweep_soon(session: AsyncSession, instance: str) -> None:
    """Have everything compared once the relay has had its time to find out whether this is a restored copy."""
    await enqueue(session, Reconcile(instance=instance), after=RELAY_TAKES)


async def plan_sweep(session: AsyncSession, instance: str) -> None:
    """Make sure that each of the jobs is there, which come due again by themselves."""
    for name, reach in REACHES.items():
        await enqueue(session, ReconcileReach(reach=name), after=reach.every)
    of_subscriptions = (ReconcileSubscriptions(instance=instance), ReconcilePeriods(instance=instance))
    await enqueue(session, *of_subscriptions, after=REACHES["hour"].every)


async def reconcile(context: WorkerContext, task: Task[Reconcile]) -> Result:
    """Enqueue a pass of each reach, the shortest first, and the comparison of what runs."""
    instance = task.job.instance
    async with context.database.transaction() as session:
        await enqueue(session, ReconcileSubscriptions(instance=instance), ReconcilePeriods(instance=instance))
        for number, name in enumerate(REACHES):
            await enqueue(session, ReconcileReach(reach=name), after=number * A_MOMENT)
    return DONE


async def reconcile_reach(context: WorkerContext, task: Task[ReconcileReach]) -> Result:
    """Compare a slice, and note how far it came; repeated at once until the pass is over, and then when it is due."""
    name = task.job.reach
    async with context.database.transaction() as session:
        row = await _begun(session, name)
        step, stretch = str(row.step), Stretch(row.starts_at, row.ends_at)
        place = Place(row.made_before or row.ends_at, row.after_id or "")
    further = await STEPS[step](context, stretch, place)
    async with context.database.transaction() as session:
        return Later(await _note(session, name, (step, stretch.start), further))


async def compared_until(session: AsyncSession) -> dict[str, datetime | None]:
    """Return by reach until when everything was compared by a pass that was finished; None before the first one."""
    rows = await session.execute(select(SweepPass.reach, SweepPass.compared_until))
    ends: dict[str, datetime | None] = dict.fromkeys(REACHES)
    return ends | {reach: end for reach, end in rows.tuples() if reach in ends}


async def _begun(session: AsyncSession, name: str) -> SweepPass:
    """Return the pass that is under way, or a new one, by the database's clock: a worker's may be wrong."""
    now = await _now(session)
    await session.execute(insert(SweepPass).values(reach=name, starts_at=now, ends_at=now).on_conflict_do_nothing())
    row = await _lock(session, name)
    if row.step not in STEPS:
        row.starts_at, row.ends_at = now - REACHES[name].back, now - EVENTS_TAKE
        row.step, row.made_before, row.after_id = next(iter(STEPS)), None, None
    return row


async def _note(session: AsyncSession, name: str, slice_of: tuple[str, datetime], further: Place | None) -> timedelta:
    """Note where the pass goes on, and return after how long.

    Where another worker took the step, or began another pass, since this one's lease had ended, nothing is noted: a
    place of an older pass would have the new one leave out what is younger.
    """
    row = await _lock(session, name)
    step, _ = slice_of
    if (row.step, row.starts_at) != slice_of:
        return timedelta(0)
    row.made_before, row.after_id = (further.made_before, further.after_id) if further else (None, None)
    if further is None:
        row.step = _after(step, name)
    if row.step is not None:
        return timedelta(0)
    row.compared_until = row.ends_at
    return max(row.ends_at + EVENTS_TAKE + REACHES[name].every - await _now(session), timedelta(0))


async def _now(session: AsyncSession) -> datetime:
    return (await session.execute(select(func.now()))).scalar_one()


async def _lock(session: AsyncSession, name: str) -> SweepPass:
    return (await session.execute(select(SweepPass).where(SweepPass.reach == name).with_for_update())).scalar_one()


def _after(step: str, reach: str) -> str | None:
    """Return the next step; what is open here is asked about by id once a night."""
    steps = [one for one in STEPS if one != OPEN_DISPUTES or reach == "month"]
    number = steps.index(step) + 1
    return steps[number] if number < len(steps) else None


async def _payments(context: WorkerContext, stretch: Stretch, place: Place) -> Place | None:
    listed = paid_invoices(context.client, Stretch(stretch.start, place.made_before))
    return await _slice(listed, lambda invoice: take_payment(context, invoice, paid_before=stretch.end), place)


async def _refunds(context: WorkerContext, stretch: Stretch, place: Place) -> Place | None:
    listed = refunds(context.client, Stretch(stretch.start, place.made_before))
    return await _slice(listed, lambda refund: take_refund(context, refund), place)


async def _disputes(context: WorkerContext, stretch: Stretch, place: Place) -> Place | None:
    listed = disputes(context.client, Stretch(stretch.start, place.made_before))
    return await _slice(listed, lambda dispute: take_dispute(context, dispute), place)


async def _slice(
    listed: AsyncIterator[Fetched], take: Callable[[Fetched], Awaitable[object]], place: Place
) -> Place | None:
    """Take what is listed, what was made last first, until the slice is full.

    What was made in the same second as the last one is taken again: a slice never ends within the second it began at.
    """
    began, number = monotonic(), 0
    async for thing in listed:
        await take(thing)
        number += 1
        rest = thing.made_at + A_SECOND
        if (number >= SLICE or monotonic() - began > SLICE_SECONDS) and rest < place.made_before:
            return Place(rest)
    return None


async def reconcile_open_disputes(context: WorkerContext) -> int:
    """Fetch each dispute that the bank has not decided as far as is known here, however old; return how many had."""
    found, place = 0, Place(datetime.now(UTC))
    while True:
        number, further = await _ask_for_open_disputes(context, place)
        found += number
        if further is None:
            return found
        place = further


async def _open_disputes(context: WorkerContext, _: Stretch, place: Place) -> Place | None:
    return (await _ask_for_open_disputes(context, place))[1]


async def _ask_for_open_disputes(context: WorkerContext, place: Place) -> tuple[int, Place | None]:
    """Ask for each by its id: Stripe's lists show what was made lately, and a bank takes months."""
    began, found = monotonic(), 0
    async with context.database.reading() as session:
        ids = await known.open_disputes(session, after=place.after_id, limit=SLICE)
    for dispute_id in ids:
        try:
            found += await take_dispute(context, await fetch_dispute(context.client, dispute_id))
        except ObjectMissing:
            continue
        if monotonic() - began > SLICE_SECONDS:
            return found, Place(place.made_before, dispute_id)
    return found, Place(place.made_before, ids[-1]) if len(ids) == SLICE else None


OPEN_DISPUTES: Final = "open_disputes"
STEPS: Final[Mapping[str, Step]] = {
    "payments": _payments,
    "refunds": _refunds,
    "disputes": _disputes,
    OPEN_DISPUTES: _open_disputes,
}
"""In this order: a refund needs its payment, of whichever day, and a dispute both."""
