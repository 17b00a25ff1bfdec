"""Publishes a stretch of Stripe's list, page by page: each event as its webhook would have been, under the same id."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import orjson

from chassis.backoff import Backoff
from chassis.kafka.kafka import BrokerUnavailable
from chassis.process.logs import get_logger
from contracts.envelope import BACKFILLED
from stripe_reader.stripe_json import Json
from webhook_gateway.backfill.event_list import EventList, Stretch
from webhook_gateway.broker import RecordProducer, publish
from webhook_gateway.deadlines import Deadlines
from webhook_gateway.outcomes import Outcome
from webhook_gateway.settings import BackfillSettings
from webhook_gateway.stripe_events.intake import Intake, NotAnEvent, take_in
from webhook_gateway.stripe_events.records import Record

log = get_logger(__name__)

BROKER_TRIES: Final = 12
"""About a minute: a broker that is restarted comes back by then."""
FIRST_WAIT_SECONDS: Final = 0.2
NAMED: Final = frozenset({Outcome.OTHER_ACCOUNT, Outcome.WRONG_MODE, Outcome.NOT_AN_EVENT})
"""What is logged with the event's id: it hints at a wrong key or setting."""

Say = Callable[[str], None]


class Backfill:
    """One run over one stretch. Safe beside others and to repeat: readers drop what they know by its id."""

    def __init__(self, *, events: EventList, producer: RecordProducer, settings: BackfillSettings, say: Say) -> None:
        self._events = events
        self._producer = producer
        self._settings = settings
        self._say = say
        self._deadlines = Deadlines()

    async def run(self, stretch: Stretch, *, after: str | None = None) -> Counter[str]:
        """Publish what is older than `after`; a line says after each page how to go on behind it.

        Returns how many events ended how. Raises ListUnavailable or BrokerUnavailable: the last line holds.
        """
        total: Counter[str] = Counter()
        while True:
            began = time.monotonic()
            page = await self._events.page(stretch, after=after)
            total += await self._publish(page.events)
            if page.events:
                after = str(page.events[-1]["id"])
                self._say(f"{_counted(total)}; go on: {_going_on(stretch, after)}")
            if not page.has_more or not page.events:
                log.info("backfilled", since=stretch.since.isoformat(), until=stretch.until.isoformat(), **total)
                return total
            await asyncio.sleep(self._pause(len(page.events)) - (time.monotonic() - began))

    async def _publish(self, events: Iterable[Json]) -> Counter[str]:
        """Return once all of them are durable. Raises BrokerUnavailable."""
        intakes = [self._taken(event) for event in events]
        await asyncio.gather(*(self._send(intake.record) for intake in intakes if intake.record))
        for intake in intakes:
            if intake.outcome in NAMED:
                log.error("backfill_left_out", outcome=intake.outcome.value, event_id=intake.event_id)
        return Counter(intake.outcome.value for intake in intakes)

    def _taken(self, event: Json) -> Intake:
        try:
            return take_in(
                body=orjson.dumps(event),
                livemode=bool(self._settings.stripe_livemode),
                received_at=time.time(),
                account_id=self._settings.stripe_account_id,
            )
        except NotAnEvent:
            return Intake(str(event.get("id"))[:100], "", Outcome.NOT_AN_EVENT)

    async def _send(self, record: Record) -> None:
        marked = record._replace(headers=[*record.headers, BACKFILLED])
        backoff = Backoff(first=FIRST_WAIT_SECONDS, limit=5)
        for left in reversed(range(BROKER_TRIES)):
            try:
                await publish(marked, producer=self._producer, deadlines=self._deadlines)
                break
            except BrokerUnavailable:
                if not left:
                    raise
                await backoff.sleep()

    def _pause(self, events: int) -> float:
        """Return how many seconds a page of so many events takes at least."""
        settings = self._settings
        return max(events / settings.backfill_events_per_second, 1 / settings.backfill_calls_per_second)


def _counted(total: Counter[str]) -> str:
    return f"{total.total()} listed: " + ", ".join(f"{number} {outcome}" for outcome, number in sorted(total.items()))


def _going_on(stretch: Stretch, after: str) -> str:
    """Return the options by which another run goes on, whenever that is."""
    return f"--since {stretch.since.isoformat()} --until {stretch.until.isoformat()} --after {after}"
