"""The silence alarm: what Stripe lists beside what the inbox has; where that lacks something, a sweep is started."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from prometheus_client import Gauge

from chassis.database.database import Database
from chassis.outbox import inbox
from chassis.process.health import Health, NotReady
from chassis.process.logs import get_logger
from chassis.process.metrics import UNKNOWN
from chassis.process.retrying import backs_off, counts_back_offs
from contracts.fact import NAMESPACE
from contracts.topics import STRIPE_EVENTS, TOPICS
from purchases.batch.context import CONSUMER
from purchases.reconcile.passes import start_sweep
from purchases.stripe_api.events import PAGE, ListedEvent

log = get_logger(__name__)

NAME: Final = "silence-alarm"
EVERY_SECONDS: Final = 60.0
GRACE: Final = timedelta(minutes=5)
"""A webhook, Kafka and the worker may take so long; longer, and Stripe lists what we have not."""
APART: Final = timedelta(minutes=10)
"""One sweep after the other: it reaches back 35 days."""
BACK: Final = timedelta(days=3)
"""As long as Stripe sends a webhook again, and the nightly backfill reaches."""
MOST_PAGES: Final = 10
"""In one look. A page of which everything is applied ends it: without a silence it is one call."""
TYPES: Final = tuple(fact.TYPE for fact, topic in TOPICS.items() if topic is STRIPE_EVENTS)
UNAPPLIED: Final = Gauge(
    "billing_stripe_events_unapplied",
    "Events that Stripe lists for over five minutes and the inbox has not; up to 1,000 at a look (max by).",
)
UNAPPLIED_AGE: Final = Gauge(
    "billing_stripe_events_unapplied_oldest_age_seconds", "Since the oldest of these events; 0 without (max by)."
)
for gauge in (UNAPPLIED, UNAPPLIED_AGE):
    gauge.set(UNKNOWN)

Newest = Callable[[datetime], AsyncIterator[ListedEvent]]
"""Lists Stripe's events since then, newest first."""


class SilenceAlarm:
    """Looks once a minute. Each replica does: what it starts is one job, whoever asks for it."""

    def __init__(self, *, database: Database, instance: str, newest: Newest, health: Health) -> None:
        self._database = database
        self._instance = instance
        self._newest = newest
        self._health = health
        self._sweep_is_due = False
        self._sweep_began: datetime | None = None
        self._silent: Mapping[str, datetime] = {}
        """What was missing at the last look, by its id: asked for again also when newer events push it off the page."""
        counts_back_offs(NAME)
        health.inform("webhooks", self._webhooks_arrive)

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            self._health.beat(NAME)
            try:
                await self.look()
            except Exception as error:
                backs_off(NAME, error)
                UNAPPLIED.set(UNKNOWN)
                UNAPPLIED_AGE.set(UNKNOWN)
            await self._health.rest(NAME, EVERY_SECONDS)

    async def look(self) -> None:
        """Compare, set the gauges, and start a sweep for what was not missing before, at most every APART."""
        now = datetime.now(UTC)
        known_before = {one: at for one, at in self._silent.items() if at >= now - BACK}
        missing = await self._unapplied(known_before)
        missing |= await self._missing_of_list(now)
        silent = {one: at for one, at in missing.items() if at <= now - GRACE}
        if fresh := silent.keys() - self._silent.keys():
            log.error("stripe_events_unapplied", events=len(silent), new=len(fresh), examples=sorted(fresh)[:5])
            self._sweep_is_due = True
        await self._sweep(now)
        self._silent = silent
        UNAPPLIED.set(len(silent))
        UNAPPLIED_AGE.set((now - min(silent.values(), default=now)).total_seconds())

    async def _sweep(self, now: datetime) -> None:
        """Start one where it is due: while webhooks are away, each look finds events that were not missing before."""
        if not self._sweep_is_due or (self._sweep_began and now - self._sweep_began < APART):
            return
        async with self._database.transaction() as session:
            await start_sweep(session, self._instance)
        self._sweep_is_due, self._sweep_began = False, now

    async def _missing_of_list(self, now: datetime) -> dict[str, datetime]:
        """Return what the list has and the inbox has not, of page after page until one is applied whole."""
        missing: dict[str, datetime] = {}
        page: dict[str, datetime] = {}
        listed = 0
        async for event in self._newest(now - BACK):
            listed += 1
            page[event.id] = event.created_at
            if listed % PAGE == 0:
                self._health.beat(NAME)
                unapplied, page = await self._unapplied(page), {}
                missing |= unapplied
                if listed == MOST_PAGES * PAGE or not unapplied:
                    break
        return missing | await self._unapplied(page)

    async def _unapplied(self, events: Mapping[str, datetime]) -> dict[str, datetime]:
        ids = {fact_id: event_id for event_id in events for fact_id in fact_ids_of(event_id)}
        async with self._database.reading() as session:
            applied = {ids[fact_id] for fact_id in await inbox.known(session, consumer=CONSUMER, fact_ids=ids)}
        return {one: at for one, at in events.items() if one not in applied}

    async def _webhooks_arrive(self) -> None:
        if self._silent:
            raise NotReady(f"{len(self._silent)} events that Stripe lists were not applied: webhooks do not arrive")


def fact_ids_of(event_id: str) -> Iterable[UUID]:
    """Return the ids that the event's fact may have, whichever fact the gateway made of it."""
    return (uuid5(NAMESPACE, f"{fact_type}:{event_id}") for fact_type in TYPES)
