"""Tries parked facts again when they are due, one in a transaction, beside the consumer that set them aside."""

import asyncio
from contextlib import suppress
from typing import Final

from chassis.database.database import Database
from chassis.kafka.records import Received, Record, decode
from chassis.outbox import parked
from chassis.outbox.applying import Handler
from chassis.outbox.fates import Fate, fate_of
from chassis.process.health import Health
from chassis.process.retrying import backs_off

POLL_SECONDS: Final = 1.0


class StillUnreadable(ValueError):  # noqa: N818 - named for what it says
    """A parked record that held no readable fact still holds none."""


class ParkedRetries:
    """Of one consumer; several processes may run it at once."""

    def __init__(self, *, group: str, database: Database, handle: Handler, health: Health) -> None:
        self._group = group
        self._database = database
        self._handle = handle
        self._health = health
        self._passing: int | None = None
        """The fact that met a passing fault the last time."""

    async def run(self) -> None:
        """Loop."""
        wake = self._database.event(parked.CHANNEL)
        while True:
            self._health.beat("parked")
            wake.clear()
            try:
                again = await self.retry_one()
            except Exception as error:
                backs_off("parked", error, consumer=self._group)
                again = False
            if not again:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await wake.wait()

    async def retry_one(self) -> bool:
        """Try one parked fact again; it stays parked when the handler parks it again or raises."""
        due: parked.ParkedFact | None = None
        try:
            async with self._database.transaction() as session:
                due = await parked.take_due(session, consumer=self._group)
                if due is not None:
                    await self._handle(session, [_readable(due.record)])
        except Exception as error:
            if due is None:
                raise
            if fate_of(error) is Fate.RETRY and self._passing != due.id:
                self._passing = due.id
                raise  # at once again; the second time in a row the others that are due come first
            async with self._database.transaction() as session:
                await parked.postpone(session, parked_id=due.id, reason=repr(error))
        return due is not None


def _readable(record: Record) -> Received:
    received = decode(record)
    if not isinstance(received, Received):
        raise StillUnreadable(getattr(received, "reason", "a type that this version does not know"))
    return received
