"""Applies polled batches: inbox and effect in one transaction, passing faults waited out, what stays set aside.

A batch that cannot be applied is halved down to the record that is at fault. What is no record's fault for certain is
waited out, until the same work has failed often while the database answered: then it is halved too, and a single record
is parked to be tried again by the timer. Nothing that happens here is answered by a restart.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.backoff import Backoff
from chassis.database.database import Database, call_after_commit
from chassis.kafka.progress import Progress
from chassis.kafka.records import Malformed, Received, Record, Unknown, decode
from chassis.outbox import inbox, parked
from chassis.outbox.fates import Fate, Fates, fate_of, is_too_much
from chassis.process import metrics
from chassis.process.faults import Fault, fault_of
from chassis.process.killpoints import reached
from chassis.process.logs import get_logger
from chassis.process.retrying import backs_off
from chassis.tracing import spans

log = get_logger(__name__)

Handler = Callable[[AsyncSession, Sequence[Received]], Awaitable[None]]
"""Applies the facts of one batch, in order, in the transaction that it is given."""
Note = Callable[[AsyncSession, Received], Awaitable[None]]
"""Keeps what a fact names that is set aside since it cannot be applied, in the transaction that it is given."""
Work = Callable[[AsyncSession], Awaitable[None]]

HALVED_AFTER: Final = 6
SET_ASIDE_AFTER: Final = 20
"""Failures in a row of the same work, each followed by an answer of the database: about a minute and a half."""
OUR_FAILURES: Final = 3
"""Failures of our own code in a row, after which the records are taken one by one."""
PING_SECONDS: Final = 5.0
ARRIVES_WITHIN: Final = timedelta(minutes=2)
"""A backfill that brings what is younger may only have been faster than what brings it first."""


class Stopping(Exception):  # noqa: N818 - named for what it says
    """The process is to end. The batch is not acknowledged: the next process reads it again."""


class Applier:
    """Of one consumer; one batch at a time."""

    def __init__(
        self,
        *,
        group: str,
        database: Database,
        handle: Handler,
        fates: Fates,
        progress: Progress,
        stop: asyncio.Event,
        note: Note | None = None,
    ) -> None:
        self._group = group
        self._database = database
        self._handle = handle
        self._note = note
        self._fates = fates
        self._progress = progress
        self._stop = stop

    async def take(self, records: Sequence[Record]) -> None:
        """Apply the records or set them aside, however long that takes. Raises Stopping."""
        self._progress.begun(_place(records[0]))
        backoff, failures = Backoff(first=0.05, limit=5), 0
        while True:
            try:
                await (self._apply_records(records) if failures < OUR_FAILURES else self._one_by_one(records))
            except Stopping:
                raise
            except Exception as error:
                failures += 1
                metrics.BATCHES_FAILED.labels(self._group).inc()
                log.exception("batch_failed", consumer=self._group, at=_place(records[0]), failures=failures)
                await self._wait_out(error, backoff)
            else:
                break
        self._progress.applied()

    async def _apply_records(self, records: Sequence[Record]) -> None:
        decoded = [decode(record) for record in records]
        received = [one for one in decoded if isinstance(one, Received)]
        about: spans.Attributes = {"consumer": self._group, "facts": len(received)}
        with spans.span("apply batch", after=(one.envelope.traceparent for one in received), attributes=about):
            self._pass_over([one for one in decoded if isinstance(one, Unknown)])
            await self._set_aside([one for one in decoded if isinstance(one, Malformed)])
            await self._apply(received)

    async def _one_by_one(self, records: Sequence[Record]) -> None:
        for record in records:
            try:
                await self._apply_records([record])
            except Stopping:
                raise
            except Exception as error:
                await self._set_aside_minimal(record, repr(error))

    def _pass_over(self, unknown: Sequence[Unknown]) -> None:
        for (topic, fact_type), count in Counter((one.record.topic, one.type) for one in unknown).items():
            metrics.FACTS_UNKNOWN.labels(self._group, topic).inc(count)
            log.warning("facts_unknown", consumer=self._group, topic=topic, type=fact_type[:200], count=count)

    async def _set_aside(self, malformed: Sequence[Malformed]) -> None:
        if not malformed:
            return
        try:
            await self._until_done(
                lambda session: parked.park_malformed(session, malformed, consumer=self._group), records=len(malformed)
            )
        except CannotApply as failure:
            if len(malformed) > 1:
                middle = len(malformed) // 2
                await self._set_aside(malformed[:middle])
                await self._set_aside(malformed[middle:])
            else:
                [one] = malformed
                await self._set_aside_minimal(one.record, f"{one.reason}; not kept: {failure.error!r}")
        else:
            for one in malformed:
                _log_parked(one.record, one.reason)

    async def _apply(self, batch: Sequence[Received]) -> None:
        if not batch:
            return
        try:
            await self._until_done(lambda session: self._apply_fresh(session, batch), records=len(batch))
        except CannotApply as failure:
            await self._bisect(batch, failure.error)

    async def _bisect(self, batch: Sequence[Received], error: Exception) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._apply(batch[:middle])
            await self._apply(batch[middle:])
            return
        [received] = batch
        try:
            await self._until_done(lambda session: self._park_poison(session, received, error), records=1)
        except CannotApply as failure:
            await self._set_aside_minimal(received.record, f"{error!r}; not kept: {failure.error!r}")
        else:
            _log_parked(received.record, repr(error))

    async def _apply_fresh(self, session: AsyncSession, batch: Sequence[Received]) -> None:
        first = _first_of_each(batch)
        facts = {fact_id: received.digest for fact_id, received in first.items()}
        new = await inbox.take(session, consumer=self._group, facts=facts)
        await self._notice_reused(session, batch, facts, new)
        fresh = [received for fact_id, received in first.items() if fact_id in new]
        metrics.INBOX_DUPLICATES.labels(self._group).inc(len(batch) - len(fresh))
        if fresh:
            await self._handle(session, fresh)
            call_after_commit(session, partial(self._note_missed, fresh))
            reached("consumer.inside-transaction")

    async def _notice_reused(
        self, session: AsyncSession, batch: Sequence[Received], facts: dict[UUID, int | None], new: set[UUID]
    ) -> None:
        """Drop and log a fact that comes under a known id with another body, like one that comes again."""
        known = {fact_id: digest for fact_id, digest in facts.items() if fact_id not in new}
        ids = await inbox.reused(session, consumer=self._group, facts=known)
        if len(batch) > len(facts):
            both = [(one.envelope.id, one.digest, facts[one.envelope.id]) for one in batch]
            ids |= {fact_id for fact_id, digest, first in both if None not in (digest, first) and digest != first}
        for fact_id in sorted(ids):
            metrics.FACT_IDS_REUSED.labels(self._group).inc()
            log.warning("fact_id_reused", consumer=self._group, fact_id=str(fact_id))

    def _note_missed(self, fresh: Sequence[Received]) -> None:
        """Count and log what a backfill brought first, once: what is tried again later does not come this way."""
        latest = datetime.now(UTC) - ARRIVES_WITHIN
        for envelope in (received.envelope for received in fresh):
            if envelope.backfilled and envelope.time <= latest:
                metrics.FACTS_MISSED.labels(self._group).inc()
                about = {"fact_id": str(envelope.id), "type": envelope.type, "subject": envelope.subject}
                log.warning("backfill_missed", consumer=self._group, **about)

    async def _park_poison(self, session: AsyncSession, received: Received, error: Exception) -> None:
        """Park a record at fault. What may pass all the same is tried again by the timer."""
        again = fate_of(error, self._fates) is Fate.RETRY
        await inbox.take(session, consumer=self._group, facts={received.envelope.id: received.digest})
        await parked.park(session, received, consumer=self._group, reason=repr(error), again=again)
        if self._note is not None:
            await self._note_names(session, received, self._note)

    async def _note_names(self, session: AsyncSession, received: Received, note: Note) -> None:
        """Note what the fact is about. What describes it may be at fault too: then it is set aside without."""
        try:
            async with session.begin_nested():
                await note(session, received)
        except Exception as error:
            log.warning("parked_without_names", consumer=self._group, error=repr(error)[:500])

    async def _set_aside_minimal(self, record: Record, reason: str) -> None:
        """Set aside nothing of the record but its place: the last resort."""
        work: Work = lambda session: parked.park_minimal(session, record, consumer=self._group, reason=reason)  # noqa: E731
        backoff = Backoff(first=0.05, limit=5)
        while True:
            try:
                await self._until_done(work, records=1)
            except CannotApply as failure:
                await self._wait_out(failure.error, backoff)
            else:
                _log_parked(record, reason)
                return

    async def _until_done(self, work: Work, *, records: int) -> None:
        """One transaction, repeated while its fault is a passing one. Raises CannotApply for one that stays."""
        backoff, failures = Backoff(first=0.05, limit=5), 0
        while True:
            self._progress.turned()  # also when nothing is waited out, as in a batch that is halved again and again
            try:
                async with self._database.transaction() as session:
                    await work(session)
            except Exception as error:
                if fate_of(error, self._fates) is Fate.PARK or (records > 1 and is_too_much(error)):
                    raise CannotApply(error) from error
                failures += await self._database_answers()
                if fault_of(error) is not Fault.DEPLOYMENT and failures >= _enough(records):
                    raise CannotApply(error) from error
                await self._wait_out(error, backoff)
            else:
                return

    async def _database_answers(self) -> bool:
        with suppress(Exception):
            async with asyncio.timeout(PING_SECONDS):
                await self._database.ping()
                return True
        return False

    async def _wait_out(self, error: Exception, backoff: Backoff) -> None:
        backs_off("consumer", error, consumer=self._group)
        self._progress.turned()
        with suppress(TimeoutError):
            async with asyncio.timeout(backoff.delay()):
                await self._stop.wait()
            raise Stopping from error


class CannotApply(Exception):  # noqa: N818 - named for what it says
    """This work can never be done, or has failed too often."""

    def __init__(self, error: Exception) -> None:
        super().__init__(repr(error))
        self.error = error


def _enough(records: int) -> int:
    return HALVED_AFTER if records > 1 else SET_ASIDE_AFTER


def _first_of_each(batch: Sequence[Received]) -> dict[UUID, Received]:
    first: dict[UUID, Received] = {}
    for received in batch:
        first.setdefault(received.envelope.id, received)
    return first


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}@{record.offset}"


def _log_parked(record: Record, reason: str) -> None:
    log.error("parked", topic=record.topic, partition=record.partition, offset=record.offset, reason=reason[:500])
