"""Does the jobs of `stripe_commands` after their commit: lease, call, apply; back-off for what may pass."""

import asyncio
from collections import Counter as Counts
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from prometheus_client import Counter, Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox.fates import FATES, Fate, fate_of
from chassis.process.faults import named_fault
from chassis.process.health import Health
from chassis.process.logs import get_logger
from chassis.process.metrics import unknown_where_it_fails
from chassis.process.process import background
from chassis.process.retrying import backs_off, counts_back_offs
from chassis.recovery import epochs
from chassis.tracing import spans
from purchases.buying import card_testing
from purchases.buying.card_testing import USUAL, Brake
from purchases.jobs import store as jobs
from purchases.jobs.job import UnreadableJob
from purchases.jobs.store import LeasedRow, Task
from purchases.jobs.stripe_context import Later, Result, WorkerContext
from purchases.reconcile.passes import plan_sweep, start_sweep_soon
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused, UnknownShape, watching_calls
from purchases.stripe_budgets import store as budgets
from purchases.worker.gauges import MONEY, Measure
from purchases.worker.jobs import JOBS, KINDS, SWEEPS, URGENT

log = get_logger(__name__)

WORKERS: Final = 4
POLL_SECONDS: Final = 0.5
PLAN_SECONDS: Final = 3600.0
PLAN_AGAIN_SECONDS: Final = 10.0
WATCH_SECONDS: Final = 15.0
MEASURE_SECONDS: Final = 5.0
"""So long may one question for a gauge take; what a slow database has to do meanwhile is more urgent."""
FINISH_SECONDS: Final = 25.0
"""So long may the jobs at hand take at a stop; then GIVE_BACK_SECONDS and CUT_OFF_SECONDS more, all of them at once."""
GIVE_BACK_SECONDS: Final = 3.0
CUT_OFF_SECONDS: Final = 1.0
"""For what giving back leaves behind: a transaction that is rolled back."""
QUIET_SECONDS: Final = 120.0
"""Between two answers of Stripe; one call takes 3 times 10 s at most, and its pauses."""
SET_ASIDE_AFTER: Final = 20
"""Failures in a row of one job that nothing names: about an hour, after which it is taken for a fault of ours."""
MOST_COUNTED: Final = 10_000
OUTCOMES: Final = Counter("billing_stripe_commands_total", "Commands to Stripe by outcome.", ["kind", "outcome"])
for known in KINDS:
    for ended in ("done", "later", "postponed", "parked"):
        OUTCOMES.labels(known, ended)
UNKNOWN: Final = Gauge(
    "billing_stripe_commands_unknown",
    "Jobs overdue by ten minutes, of kinds that this version does not know; counted up to 10,000 (max by).",
)


class JobsLoop:
    """A few workers that take what is due; several processes may run it at once."""

    def __init__(self, *, context: WorkerContext, health: Health, brake: Brake = USUAL) -> None:
        self._context = context
        self._brake = brake
        self._health = health
        self._stopping = False
        self._workers: set[asyncio.Task[Any]] = set()
        counts_back_offs("stripe-commands", "sweep-planner", "brake-watch")
        self._unnamed: Counts[int] = Counts()
        """By job, how often in a row this process met what nothing names."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do jobs until the block is left; those at hand are finished, in bounded time.

        One that is cut off gives its lease back, unless a change may be under way at Stripe: that one is taken again
        when its lease ends, so that nobody sends the same at the same time.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(background("commands-listener", self._listen))
            await stack.enter_async_context(background("sweep-planner", self._plan_reconciling))
            await stack.enter_async_context(background("brake-watch", self._watch))
            for number in range(WORKERS):
                work = partial(self._work, f"commands-{number}", URGENT)
                await stack.enter_async_context(background(f"commands-{number}", work))
            sweep = partial(self._work, "commands-sweep", SWEEPS)
            await stack.enter_async_context(background("commands-sweep", sweep))
            try:
                yield
            finally:
                await self._finish()

    async def _finish(self) -> None:
        self._stopping = True
        self._context.database.event(jobs.CHANNEL).set()
        if not self._workers:
            return
        _, late = await asyncio.wait(self._workers, timeout=FINISH_SECONDS)
        for worker in late:  # all at once: one after the other, they would take longer than the process has
            worker.cancel()
        if late:
            await asyncio.wait(late, timeout=GIVE_BACK_SECONDS + CUT_OFF_SECONDS)

    async def _listen(self) -> None:
        await self._context.database.listen(jobs.CHANNEL, turned=partial(self._health.beat, "commands-listener"))

    async def _plan_reconciling(self) -> None:
        """Have everything compared as the process starts, and make sure that it is again and again."""
        plan = start_sweep_soon
        while True:
            self._health.beat("sweep-planner")
            try:
                async with self._context.database.transaction() as session:
                    await plan(session, self._context.instance)
                plan = plan_sweep
            except Exception as error:
                backs_off("sweep-planner", error)
                await asyncio.sleep(PLAN_AGAIN_SECONDS)
                continue
            await self._health.rest("sweep-planner", PLAN_SECONDS)

    async def _watch(self) -> None:
        while True:
            self._health.beat("brake-watch")
            try:
                await self.update_gauges()
            except Exception as error:
                backs_off("brake-watch", error)
            await asyncio.sleep(WATCH_SECONDS)

    async def update_gauges(self) -> None:
        """Set the gauges to how it is now, also when nobody buys; budgets that are full again are forgotten.

        Each in a transaction of its own, with a beat before it: one that fails, or is slow, keeps no other from its
        turn. Raises the first failure in the end; the gauges of those that failed are NaN.
        """
        failed = [error for step in (self._forget, *self._measures()) if (error := await self._tried(step))]
        if failed:
            raise failed[0]

    async def _tried(self, step: Callable[[], Awaitable[None]]) -> Exception | None:
        self._health.beat("brake-watch")
        try:
            await step()
        except Exception as error:
            return error
        return None

    async def _forget(self) -> None:
        async with self._context.database.transaction() as session:
            await budgets.forget_full(session)

    def _measures(self) -> Iterator[Callable[[], Awaitable[None]]]:
        brake = Measure((card_testing.BRAKE, card_testing.DECLINES), self._measure_brake)
        for measure in (brake, Measure((UNKNOWN,), _count_unknown), *MONEY):
            yield partial(self._measured, measure)

    async def _measured(self, measure: Measure) -> None:
        with unknown_where_it_fails(*measure.gauges):
            async with self._context.database.reading() as session:
                await session.execute(text(f"set local statement_timeout = {MEASURE_SECONDS * 1000:.0f}"))
                await measure.ask(session)

    async def _measure_brake(self, session: AsyncSession) -> None:
        await card_testing.is_on(session, self._brake, now=datetime.now(UTC))

    async def _work(self, name: str, kinds: Collection[str]) -> None:
        wake, beat = self._context.database.event(jobs.CHANNEL), partial(self._health.beat, name, limit=QUIET_SECONDS)
        if worker := asyncio.current_task():
            self._workers.add(worker)
        while not self._stopping:
            beat()
            wake.clear()
            try:
                took = await self.do_one(beat, kinds=kinds)
            except Exception as error:
                backs_off("stripe-commands", error)
                took = False
            if not took:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await wake.wait()

    async def do_one(
        self, answered: Callable[[], None] = lambda: None, *, kinds: Collection[str] = frozenset(KINDS)
    ) -> bool:
        """Do the job of these kinds that is due for longest; False where none is. Stripe's answers call `answered`.

        Of SWEEPS none while another process is at one, nor while a restored copy is read back: then rows that Stripe
        knows, and the copy does not, come back with what they had published.
        """
        async with self._context.database.transaction() as session:
            if kinds == SWEEPS and await epochs.is_recovering(session):
                return False
            row = await jobs.take(session, kinds=kinds, alone=kinds == SWEEPS)
        if row is None:
            return False
        about = {"job.kind": row.kind, "job.subject": row.subject}
        with spans.span("job", after=[row.traceparent], attributes=about), watching_calls(answered) as calls:
            try:
                await self._do(row)
            except asyncio.CancelledError:
                if not calls.unanswered:
                    await self._give_back(row)
                raise
        return True

    async def _give_back(self, row: LeasedRow) -> None:
        with suppress(Exception):  # else its lease ends by itself
            async with asyncio.timeout(GIVE_BACK_SECONDS), self._context.database.transaction() as session:
                await jobs.give_back(session, row)

    async def _do(self, row: LeasedRow) -> None:
        try:
            job = KINDS[row.kind].read(row.subject, row.arguments)
            result = await JOBS[type(job)](self._context, Task(id=row.id, attempts=row.attempts, job=job))
        except (UnknownShape, StripeRefused) as error:
            await self._set_aside(row, error)
        except (OutcomeUnknown, OSError, TimeoutError) as error:
            await self._postpone(row, error)
        except UnreadableJob as error:
            # A newer version may have written it: it waits while a rollout may last, and is then for staff.
            await (self._postpone if row.attempts < SET_ASIDE_AFTER else self._set_aside)(row, error)
        except Exception as error:
            if fate_of(error) is Fate.RETRY and not self._has_failed_often(row, error):
                await self._postpone(row, error)
            else:
                await self._set_aside(row, error)
        else:
            self._unnamed.pop(row.id, None)
            await self._close(row, result)

    def _has_failed_often(self, row: LeasedRow, error: Exception) -> bool:
        """Return whether a driver's error has come so often that it is for staff: what passes has a name."""
        if named_fault(error) is not None or isinstance(error, tuple(FATES)):
            return False
        if len(self._unnamed) >= MOST_COUNTED:
            self._unnamed.clear()
        self._unnamed[row.id] += 1
        if self._unnamed[row.id] < SET_ASIDE_AFTER:
            return False
        del self._unnamed[row.id]
        return True

    async def _close(self, row: LeasedRow, result: Result) -> None:
        async with self._context.database.transaction() as session:
            if isinstance(result, Later):
                await jobs.postpone(session, row, due_in=result.due_in)
            else:
                await jobs.end(session, row)
        OUTCOMES.labels(row.kind, "later" if isinstance(result, Later) else "done").inc()

    async def _postpone(self, row: LeasedRow, error: Exception) -> None:
        log.warning("command_postponed", kind=row.kind, subject=row.subject, error=repr(error)[:500])
        async with self._context.database.transaction() as session:
            await jobs.postpone(session, row, due_in=_backoff(row), error=repr(error)[:2000])
        OUTCOMES.labels(row.kind, "postponed").inc()

    async def _set_aside(self, row: LeasedRow, error: Exception) -> None:
        log.error("command_parked", kind=row.kind, subject=row.subject, error=repr(error)[:500])
        async with self._context.database.transaction() as session:
            await jobs.set_aside(session, row, error=_reason(error))
        OUTCOMES.labels(row.kind, "parked").inc()


async def _count_unknown(session: AsyncSession) -> None:
    UNKNOWN.set(await jobs.count_unknown(session, kinds=KINDS))


def _reason(error: Exception) -> str:
    """Return what staff read: Stripe's own words, or what went wrong here."""
    return f"Stripe refused: {error.reason}" if isinstance(error, StripeRefused) else repr(error)


def _backoff(row: LeasedRow) -> timedelta:
    return timedelta(seconds=min(300.0, 0.5 * 2 ** min(row.attempts, 12)))
