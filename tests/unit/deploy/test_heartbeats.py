"""Each loop of each process has a heartbeat: one that hangs is named, one that meets faults goes on beating."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final, cast

import pytest

from chassis.database.database import Database
from chassis.kafka.ended_sessions import EndedSessions
from chassis.outbox import relay as relay_module
from chassis.outbox.parked_retries import ParkedRetries
from chassis.outbox.pruning import keep_pruned
from chassis.outbox.relay import Relay
from chassis.process.health import BEAT_LIMIT, Health
from chassis.process.settings import ServiceSettings
from chassis.recovery import read_back
from chassis.recovery.read_back import keep_read_back
from notifier import housekeeping
from notifier.delivery import sender as sender_module
from notifier.delivery.patience import Patience
from notifier.delivery.sender import Sender
from purchases.jobs.stripe_context import WorkerContext
from purchases.reconcile import silence as silence_module
from purchases.reconcile.silence import SilenceAlarm
from purchases.stripe_api.events import ListedEvent
from purchases.worker import run_jobs
from purchases.worker.jobs import SWEEPS, URGENT
from purchases.worker.run_jobs import QUIET_SECONDS, JobsLoop
from tests.contract.sources import sources
from webhook_gateway.broker import CONNECTING, BrokerConnection

SETTINGS: Final = ServiceSettings(app_env="testing", kafka_bootstrap_servers="127.0.0.1:9")
LONGEST: Final = max(BEAT_LIMIT, QUIET_SECONDS)
"""Seconds, after which /livez fails of a loop that hangs."""
BEATEN_ELSEWHERE: Final = frozenset({"consumer", "consumer-pulse", "ended-sessions"})
"""The pulse beats for the consumer (test_liveness), and the reader of ended sessions waits for Kafka in bounds."""
SERVERS: Final = frozenset({"http", "ops"})
"""They answer on the loop that all others share: /livez itself is their heartbeat."""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class HangingDatabase:
    """Whatever is asked of it never comes back."""

    url = "postgresql://nobody@127.0.0.1:9/nothing"

    def event(self, _: str) -> asyncio.Event:
        return asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        await self.ask()
        yield

    reading = transaction

    async def ask(self) -> None:
        await asyncio.Event().wait()

    async def listen(self, _: str, *, turned: Callable[[], None]) -> None:
        turned()
        await self.ask()


class AbsentDatabase(HangingDatabase):
    """Whatever is asked of it fails."""

    async def ask(self) -> None:
        await asyncio.sleep(0)
        raise ConnectionError("nobody is there")

    async def listen(self, channel: str, *, turned: Callable[[], None]) -> None:
        await Database(self.url, name="test").listen(channel, turned=turned)


def jobs(database: Any, health: Health) -> JobsLoop:
    context = WorkerContext(database=database, client=cast("Any", None), instance="test", apply=cast("Any", None))
    return JobsLoop(context=context, health=health)


def relay(database: Any, health: Health) -> Relay:
    return Relay(database=database, settings=SETTINGS, health=health)


def sender(database: Any, health: Health) -> Sender:
    class Mailer:
        patience = Patience(30.0)

        def connections(self, _: int) -> list[Any]:
            return []

    return Sender(database=database, mailer=cast("Any", Mailer()), health=health, connections=1)


def gateway(database: Any, health: Health) -> BrokerConnection:
    return BrokerConnection(database.ask, health=health)


def parked(database: Any, health: Health) -> ParkedRetries:
    return ParkedRetries(group="test", database=database, handle=cast("Any", None), health=health)


def silence(database: Any, health: Health) -> SilenceAlarm:
    async def newest(_: datetime) -> AsyncIterator[ListedEvent]:
        await database.ask()
        yield cast("Any", None)

    return SilenceAlarm(database=database, instance="test", newest=newest, health=health)


LOOPS: Final[Mapping[str, Callable[[Any, Health], Awaitable[None]]]] = {
    "relay": lambda database, health: relay(database, health)._run(),
    "outbox-gauge": lambda database, health: relay(database, health)._gauge(),
    "parked": lambda database, health: parked(database, health).run(),
    "read-back": lambda database, health: keep_read_back(database, cast("Any", None), health=health),
    "pruning": lambda database, health: keep_pruned(
        database, {"parked": cast("Any", None)}, kept=timedelta(days=90), health=health
    ),
    "untold-sessions": lambda _, health: EndedSessions(SETTINGS)._keep_publishing(health),
    "commands-listener": lambda database, health: jobs(database, health)._listen(),
    "sweep-planner": lambda database, health: jobs(database, health)._plan_reconciling(),
    "silence-alarm": lambda database, health: silence(database, health).watch(),
    "brake-watch": lambda database, health: jobs(database, health)._watch(),
    "commands-0": lambda database, health: jobs(database, health)._work("commands-0", URGENT),
    "commands-sweep": lambda database, health: jobs(database, health)._work("commands-sweep", SWEEPS),
    "sender": lambda database, health: sender(database, health)._run(),
    "mail-leases": lambda database, health: sender(database, health)._keep_leases(),
    "housekeeping": lambda database, health: housekeeping.run_housekeeping(database, health),
    CONNECTING: lambda database, health: gateway(database, health)._keep_trying(),
}
NEVER_HANG: Final = frozenset({"untold-sessions"})
"""All that it awaits is bounded."""
FAR_APART: Final = frozenset({"pruning"})
"""It meets its fault, and rests for an hour."""


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay's own connection, too, is the database's that the test gives."""

    @asynccontextmanager
    async def connection(*_: Any, **__: Any) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield

    monkeypatch.setattr(relay_module, "plain_connection", connection)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a loop sleeps between two turns is a part of a second."""
    monkeypatch.setattr(relay_module, "GAUGE_SECONDS", 0.05)
    monkeypatch.setattr(sender_module, "LEASE_SECONDS", 0.2)
    monkeypatch.setattr(housekeeping, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(read_back, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(run_jobs, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(silence_module, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(run_jobs, "PLAN_AGAIN_SECONDS", 0.05)


@asynccontextmanager
async def running(loop: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(loop)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("name", sorted(LOOPS.keys() - NEVER_HANG))
async def test_a_loop_that_hangs_is_named(name: str, no_connection: None) -> None:
    clock = Clock()
    health = Health(clock=clock)
    async with running(LOOPS[name](HangingDatabase(), health)):
        await asyncio.sleep(0.05)
        before = health.late()
        clock.now = LONGEST + 1

        assert (before, list(health.late())) == ({}, [name])


@pytest.mark.parametrize("name", sorted(LOOPS))
async def test_a_loop_whose_database_or_broker_is_away_goes_on_beating(name: str, quick: None) -> None:
    """A restart would not heal what is away."""
    clock = Clock()
    health = Health(clock=clock)
    async with running(LOOPS[name](AbsentDatabase(), health)):
        await asyncio.sleep(0.05)
        clock.now = LONGEST + 1
        if name not in FAR_APART:
            await until_it_beats(health)

        assert health.late() == {}


async def until_it_beats(health: Health) -> None:
    async with asyncio.timeout(15):
        while health.late():  # noqa: ASYNC110 - the loop under test says nothing else
            await asyncio.sleep(0.05)


def test_every_loop_that_runs_in_the_background_is_tried_here() -> None:
    named = {
        re.sub(r"\{.*\}", "0", name)
        for path in sources()
        for name in re.findall(r"background\(\s*f?\"([^\"]+)\"", path.read_text())
    }

    assert named - SERVERS == (set(LOOPS) - {CONNECTING}) | BEATEN_ELSEWHERE


def test_a_loop_is_late_only_after_a_database_that_is_silent_has_been_given_up() -> None:
    """10 s for a connection of the pool, 5 s to make it, 30 s for its command, 30 s to give that up."""
    engine = Database("postgresql://nobody@127.0.0.1:9/nothing", name="test").engine

    assert engine.pool._timeout + 5 + 30 + 30 <= BEAT_LIMIT  # type: ignore[attr-defined]
