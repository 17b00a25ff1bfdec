"""The sender: leases what is due, hands it to the mail server outside any transaction, and commits what came of it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.backoff import Backoff
from chassis.database import Database
from chassis.health import Health
from chassis.killpoints import reached
from chassis.logs import get_logger
from chassis.process import background
from notifier import mails, metrics
from notifier.mailer import Mailer
from notifier.mails import DueMail
from notifier.smtp import Connection, NotSent, Verdict

log = get_logger(__name__)

POLL_SECONDS: Final = 1.0
LEASE_MARGIN: Final = 5.0
"""Seconds between the end of an attempt, which the mailer's timeout bounds, and the end of its lease."""
FIRST_RETRY_SECONDS: Final = 2.0
LAST_RETRY_SECONDS: Final = 1800.0
GIVE_UP_AFTER: Final = timedelta(days=5)
"""RFC 5321 §4.5.4.1: a mail that is deferred that long is given up; here it is parked."""
UNREACHABLE_FIRST: Final = 0.25
UNREACHABLE_LIMIT: Final = 10.0


class Sender:
    """Sends what is due over a few connections, one mail on each at a time."""

    def __init__(self, *, database: Database, mailer: Mailer, health: Health, connections: int = 4) -> None:
        self._database = database
        self._mailer = mailer
        self._health = health
        self._idle = [mailer.connection() for _ in range(connections)]
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._wake = database.event(mails.CHANNEL)
        self._unreachable = Backoff(first=UNREACHABLE_FIRST, limit=UNREACHABLE_LIMIT)
        self._pause = 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send until the block is left; the mails at hand are finished, in bounded time."""
        async with self._connections(), background("sender", self._run):
            yield

    @asynccontextmanager
    async def _connections(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await self._finish()
            await asyncio.gather(*(connection.close() for connection in self._idle))

    async def _finish(self) -> None:
        """Wait for the mails at hand: one that is cut off is unknown and would be sent twice."""
        tasks = list(self._in_flight.values())
        if tasks:
            await asyncio.wait(tasks, timeout=self._mailer.timeout + 1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        database_lost = Backoff(first=0.2, limit=5)
        while True:
            self._health.beat("sender")
            self._wake.clear()
            try:
                started = await self._start_due()
            except Exception as error:
                log.warning("mails_not_leased", error=repr(error)[:500])
                await database_lost.sleep()
                continue
            database_lost.reset()
            await self._rest(started)

    async def _rest(self, started: int) -> None:
        """Wait for work, for a free connection, or for as long as the mail server needs to be left alone."""
        if self._pause:
            await asyncio.sleep(self._pause)
            self._pause = 0.0
        elif not started or not self._idle:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS * random.uniform(0.75, 1.25)):  # noqa: S311 - no secret
                    await self._wake.wait()

    async def _start_due(self) -> int:
        if self._pause or not self._idle:
            return 0
        async with self._database.transaction() as session:
            due = await mails.lease(
                session,
                limit=len(self._idle),
                duration=timedelta(seconds=self._mailer.timeout + LEASE_MARGIN),
                in_flight=list(self._in_flight),
            )
        for mail in due:
            self._start(mail, self._idle.pop())
        return len(due)

    def _start(self, due: DueMail, connection: Connection) -> None:
        task = asyncio.create_task(self._send(due, connection), name=f"mail {due.key}")
        self._in_flight[due.key] = task
        task.add_done_callback(lambda _: self._done(due.key, connection))

    def _done(self, key: str, connection: Connection) -> None:
        del self._in_flight[key]
        self._idle.append(connection)
        self._wake.set()

    async def _send(self, due: DueMail, connection: Connection) -> None:
        try:
            mail = self._mailer.written(due)
            reached("notifier.before-smtp")
            await connection.send(mail)
            reached("notifier.after-smtp")
        except NotSent as failure:
            await self._not_sent(due, failure)
        else:
            await self._sent(due)

    async def _sent(self, due: DueMail) -> None:
        self._unreachable.reset()
        metrics.SERVER_UP.set(1)
        await self._recorded(lambda session: mails.mark_sent(session, due))
        metrics.MAILS.labels(due.letter, "sent").inc()
        metrics.MAIL_SECONDS.labels(due.letter).observe((datetime.now(UTC) - due.queued_at).total_seconds())
        log.info("mail_sent", mail=due.key, attempts=due.attempts)

    async def _not_sent(self, due: DueMail, failure: NotSent) -> None:
        verdict = Verdict.PARK if _given_up(due, failure) else failure.verdict
        metrics.MAILS.labels(due.letter, verdict.value).inc()
        log.warning("mail_not_sent", mail=due.key, outcome=verdict.value, code=failure.code, attempts=due.attempts)
        if verdict is Verdict.PARK:
            await self._recorded(lambda session: mails.park(session, due, reason=str(failure)))
            return
        seconds = self._leave_alone() if verdict is Verdict.PAUSE else retry_seconds(due.attempts)
        await self._recorded(lambda session: mails.postpone(session, due, seconds=seconds, error=str(failure)))

    def _leave_alone(self) -> float:
        """Stop sending for a moment that grows with each failure in a row; the mail is due when it is over."""
        metrics.SERVER_UP.set(0)
        self._pause = self._pause or self._unreachable.delay()
        return 0.0

    async def _recorded(self, change: Callable[[AsyncSession], Awaitable[None]]) -> None:
        """Commit what came of a mail, however long the database takes: a mail whose yes is forgotten goes out twice."""
        backoff = Backoff(first=0.05, limit=1)
        while True:
            try:
                async with self._database.transaction() as session:
                    await change(session)
            except Exception as error:
                log.warning("mail_outcome_not_stored", error=repr(error)[:500])
                await backoff.sleep()
            else:
                return


def retry_seconds(attempts: int) -> float:
    """Longer after each attempt, never in step with the others."""
    longest: float = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 20))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _given_up(due: DueMail, failure: NotSent) -> bool:
    return failure.verdict is Verdict.DEFER and datetime.now(UTC) - due.queued_at > GIVE_UP_AFTER
