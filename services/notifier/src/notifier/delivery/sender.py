"""The sender: leases what is due, hands it to the mail server outside any transaction, and commits what came of it."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from chassis.backoff import Backoff
from chassis.database.database import Database
from chassis.process.health import Health
from chassis.process.killpoints import reached
from chassis.process.logs import get_logger
from chassis.process.process import background
from chassis.tracing import spans
from notifier import mails, metrics
from notifier.delivery.mailer import Mailer
from notifier.delivery.outcomes import Outcome, Outcomes, Parked, Postponed, Sent
from notifier.delivery.smtp import Connection, NotSent, Verdict
from notifier.letters.letters import LETTERS, SECOND_LETTERS
from notifier.mails import DueMail

log = get_logger(__name__)

POLL_SECONDS: Final = 1.0
GATHER_SECONDS: Final = 0.01
"""What becomes due in this time is leased together: a transaction for each mail is a third of its cost."""
LEASED_PER_CONNECTION: Final = 8
LEASE_SECONDS: Final = 60.0
"""At most, and renewed while the mail is at hand. One that waits here is begun in the first half, or leased anew."""
LEASE_MARGIN: Final = 5.0
"""Seconds of a lease beyond one command's patience, where that is short."""
RENEWALS: Final = 4
"""Of a lease, so that some may fail before it ends."""
UNKNOWN_RETRY_SECONDS: Final = 1800.0
UNKNOWN_ATTEMPTS: Final = 3
"""So often a mail is handed over that nobody says was taken: each time it may reach the recipient."""
FINISH_SECONDS: Final = 10.0
"""So long may mails at hand take at a stop; what then has no reply is unknown."""
RECORD_SECONDS: Final = 5.0
FIRST_RETRY_SECONDS: Final = 2.0
LAST_RETRY_SECONDS: Final = 1800.0
GIVE_UP_AFTER: Final = timedelta(days=5)
"""RFC 5321 §4.5.4.1: a mail that is deferred that long is given up; here it is parked."""
UNREACHABLE_FIRST: Final = 0.25
UNREACHABLE_LIMIT: Final = 10.0


class Sender:
    """Sends what is due over a few connections, one mail on each at a time."""

    def __init__(self, *, database: Database, mailer: Mailer, health: Health, connections: int = 8) -> None:
        self._database = database
        self._mailer = mailer
        metrics.export_from_the_start(letter.name for letter in (*LETTERS.values(), *SECOND_LETTERS.values()))
        self._health = health
        self._lease = timedelta(seconds=min(LEASE_SECONDS, mailer.patience.command + LEASE_MARGIN))
        self._outcomes = Outcomes(database)
        self._wake = asyncio.Event()
        self._connections = mailer.connections(connections)
        self._idle = list(self._connections)
        self._ready: deque[tuple[DueMail, float]] = deque()
        """Leased, with the moment after which they may no longer be begun."""
        self._more = False
        """Whether the last lease left something behind."""
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._held: dict[str, DueMail] = {}
        """At hand until what came of them is stored."""
        self._unreachable = Backoff(first=UNREACHABLE_FIRST, limit=UNREACHABLE_LIMIT)
        self._pause = 0.0
        self._probing = False
        """Whether the last word of the mail server was that it takes nobody's mail."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send until the block is left; the mails at hand are finished, in bounded time."""
        async with background("mail-leases", self._keep_leases):
            try:
                async with background("sender", self._run):
                    yield
            finally:
                await asyncio.gather(self._release_leased(), self._finish())
                await asyncio.gather(*(connection.close() for connection in self._connections))

    def wake(self) -> None:
        """Look for due mails now: there may be some."""
        self._wake.set()

    async def _release_leased(self) -> None:
        untried = [mail for mail, _ in self._ready]
        self._ready.clear()
        with suppress(Exception):  # their leases end by themselves
            async with self._database.transaction() as session:
                await mails.release(session, untried)

    async def _finish(self) -> None:
        """Wait for the mails at hand; then cut them off, which makes unknown what was handed over, and store that."""
        tasks = list(self._sending.values())
        if tasks:
            await asyncio.wait(tasks, timeout=FINISH_SECONDS)
            for connection in self._connections:
                connection.cut()
            await asyncio.wait(tasks, timeout=RECORD_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_leases(self) -> None:
        """Renew the leases of the mails at hand: a server may take longer than any lease should last."""
        while True:
            self._health.beat("mail-leases")
            held = list(self._held.values())
            try:
                async with self._database.transaction() as session:
                    await mails.renew(session, held, duration=self._lease)
            except Exception as error:
                log.warning("mail_leases_not_renewed", mails=len(held), error=repr(error)[:500])
            await asyncio.sleep(self._lease.total_seconds() / RENEWALS)

    async def _run(self) -> None:
        database_lost = Backoff(first=0.2, limit=5)
        while True:
            self._health.beat("sender")
            await self._pause_if_unreachable()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            try:
                await self._lease_some()
            except Exception as error:
                log.warning("mails_not_leased", error=repr(error)[:500])
                await database_lost.sleep()
                continue
            database_lost.reset()
            self._begin_ready()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS * random.uniform(0.75, 1.25)):  # noqa: S311 - no secret
                    await self._wake.wait()

    async def _pause_if_unreachable(self) -> None:
        if self._pause:
            await self._release_leased()
            await asyncio.sleep(self._pause)
            self._pause = 0.0

    async def _lease_some(self) -> None:
        """Take more while there are fewer here than connections; a single one while the server may still be away."""
        room = len(self._connections) * LEASED_PER_CONNECTION - len(self._ready)
        limit = 1 if self._probing else room
        if len(self._ready) >= len(self._connections):
            return
        begin_before = monotonic() + self._lease.total_seconds() / 2
        async with self._database.transaction() as session:
            leased = await mails.lease(
                session,
                limit=limit,
                duration=self._lease,
                in_flight=[*self._sending, *(mail.key for mail, _ in self._ready)],
            )
        self._more = len(leased) == limit
        self._ready.extend((mail, begin_before) for mail in leased)

    def _begin_ready(self) -> None:
        """Start what is leased on the connections that are free. What waited too long is leased anew, later."""
        while self._ready and self._idle and not self._pause:
            mail, begin_before = self._ready.popleft()
            if monotonic() < begin_before:
                self._begin(mail, self._idle.pop())
        if self._more and len(self._ready) < len(self._connections):
            self._wake.set()

    def _begin(self, mail: DueMail, connection: Connection) -> None:
        task = asyncio.create_task(self._send(mail, connection), name=f"mail {mail.key}")
        self._sending[mail.key], self._held[mail.key] = task, mail
        task.add_done_callback(lambda _: self._end(mail.key))

    def _end(self, key: str) -> None:
        self._sending.pop(key, None)
        self._held.pop(key, None)

    async def _send(self, due: DueMail, connection: Connection) -> None:
        try:
            with spans.span("mail", after=[due.traceparent], attributes={"mail": due.key, "mail.letter": due.letter}):
                outcome = await self._attempt(due, connection)
        finally:
            self._idle.append(connection)
            self._begin_ready()
        await self._outcomes.record(outcome)
        if isinstance(outcome, Sent):
            metrics.MAIL_SECONDS.labels(due.letter).observe((datetime.now(UTC) - due.queued_at).total_seconds())
            log.info("mail_sent", mail=due.key, attempts=due.attempts)

    async def _attempt(self, due: DueMail, connection: Connection) -> Outcome:
        try:
            mail = self._mailer.write(due)
            reached("notifier.before-smtp")
            await connection.send(mail)
            reached("notifier.after-smtp")
        except NotSent as failure:
            return self._not_sent(due, failure)
        self._mark_reachable()
        metrics.MAILS.labels(due.letter, "sent").inc()
        return Sent(mail=due)

    def _not_sent(self, due: DueMail, failure: NotSent) -> Outcome:
        verdict = Verdict.PARK if _is_given_up(due, failure) else failure.verdict
        metrics.MAILS.labels(due.letter, verdict.value).inc()
        log.warning("mail_not_sent", mail=due.key, outcome=verdict.value, code=failure.code, attempts=due.attempts)
        if verdict is Verdict.UNKNOWN:
            return self._unanswered(due, failure)
        if verdict is Verdict.PARK:
            return Parked(mail=due, reason=str(failure))
        if verdict is Verdict.PAUSE:
            self._mark_unreachable()
            return Postponed(mail=due, seconds=0, error=str(failure))
        return Postponed(mail=due, seconds=retry_seconds(due.attempts), error=str(failure))

    def _unanswered(self, due: DueMail, failure: NotSent) -> Outcome:
        """Have a mail that may have been taken sent again much later, a few times; others go one by one till then."""
        self._mark_unreachable()
        if due.unanswered + 1 >= UNKNOWN_ATTEMPTS:
            return Parked(mail=due, reason=f"handed over {UNKNOWN_ATTEMPTS} times, and it may have arrived: {failure}")
        return Postponed(mail=due, seconds=UNKNOWN_RETRY_SECONDS, error=str(failure), unanswered=True)

    def _mark_reachable(self) -> None:
        self._unreachable.reset()
        self._probing = False
        metrics.SERVER_UP.set(1)

    def _mark_unreachable(self) -> None:
        """Stop beginning mails for a moment that grows with each failure in a row."""
        self._pause = self._pause or self._unreachable.delay()
        self._probing = True
        self._wake.set()
        metrics.SERVER_UP.set(0)


def retry_seconds(attempts: int) -> float:
    """Return the seconds to wait: longer after each attempt, never in step with the others."""
    longest: float = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 20))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _is_given_up(due: DueMail, failure: NotSent) -> bool:
    return failure.verdict is Verdict.DEFER and datetime.now(UTC) - due.queued_at > GIVE_UP_AFTER
