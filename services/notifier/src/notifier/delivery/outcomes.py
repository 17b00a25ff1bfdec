"""What came of the mails, committed many at a time while the database is busy, and never forgotten."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.backoff import Backoff
from chassis.database.database import Database
from chassis.process.logs import get_logger
from notifier import mails
from notifier.mails import DueMail

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The mail server said yes."""

    mail: DueMail


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """Due again in `seconds`. One that is `unanswered` was handed over, and may have been taken."""

    mail: DueMail
    seconds: float
    error: str
    unanswered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Set aside with its reason."""

    mail: DueMail
    reason: str


Outcome = Sent | Postponed | Parked


class Outcomes:
    """Commits one transaction at a time; what arrives meanwhile shares the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Outcome, asyncio.Future[None]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def record(self, outcome: Outcome) -> None:
        """Return once `outcome` is committed, however long the database takes: a yes forgotten is a second mail."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((outcome, done))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        await done

    async def _commit_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await self._until_committed([outcome for outcome, _ in batch])
            for _, done in batch:
                if not done.done():
                    done.set_result(None)

    async def _until_committed(self, outcomes: Sequence[Outcome]) -> None:
        backoff = Backoff(first=0.05, limit=1)
        while True:
            try:
                async with self._database.transaction() as session:
                    await _store(session, outcomes)
            except Exception as error:
                log.warning("mail_outcomes_not_stored", mails=len(outcomes), error=repr(error)[:500])
                await backoff.sleep()
            else:
                return


async def _store(session: AsyncSession, outcomes: Sequence[Outcome]) -> None:
    await mails.mark_sent(session, [outcome.mail for outcome in outcomes if isinstance(outcome, Sent)])
    for outcome in outcomes:
        if isinstance(outcome, Postponed):
            await mails.postpone(
                session, outcome.mail, seconds=outcome.seconds, error=outcome.error, unanswered=outcome.unanswered
            )
        elif isinstance(outcome, Parked):
            await mails.park(session, outcome.mail, reason=outcome.reason)
