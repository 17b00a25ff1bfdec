"""A gauge of a shared table is NaN while its database is away: what it said before would pass for how it is now."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, cast

import pytest
from prometheus_client import Gauge

from chassis.outbox.consumer import Consumer
from chassis.outbox.relay import Relay
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from notifier import housekeeping
from notifier import metrics as mails
from purchases.buying import card_testing
from purchases.jobs.stripe_context import WorkerContext
from purchases.worker import gauges as money
from purchases.worker import run_jobs
from purchases.worker.run_jobs import JobsLoop

SETTINGS: Final = ServiceSettings(app_env="testing", kafka_bootstrap_servers="127.0.0.1:9")


class AbsentDatabase:
    """Nobody answers."""

    url = "postgresql://nobody@127.0.0.1:9/nothing"

    def event(self, _: str) -> None:
        return None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        raise ConnectionError("nobody is there")
        yield

    reading = transaction


DATABASE: Final = cast("Any", AbsentDatabase())


async def outbox() -> None:
    await Relay(database=DATABASE, settings=SETTINGS, health=Health())._export_backlog()


async def parked_facts() -> None:
    consumer = Consumer(
        topics=(), group="test", database=DATABASE, handle=cast("Any", None), settings=SETTINGS, health=Health()
    )
    await consumer._export_parked()


async def unsent_mails() -> None:
    await housekeeping.export_backlog(DATABASE)


async def money_and_declines() -> None:
    context = WorkerContext(database=DATABASE, client=cast("Any", None), instance="test", apply=cast("Any", None))
    await JobsLoop(context=context, health=Health()).update_gauges()


@pytest.mark.parametrize(
    ("measure", "gauges"),
    [
        (outbox, [metrics.OUTBOX_ROWS, metrics.OUTBOX_OLDEST_AGE]),
        (parked_facts, [metrics.PARKED_ITEMS.labels("test")]),
        (unsent_mails, [mails.OLDEST_UNSENT, mails.PARKED]),
        (
            money_and_declines,
            [
                card_testing.BRAKE,
                card_testing.DECLINES,
                run_jobs.UNKNOWN,
                money.UNRECORDED,
                money.UNRECORDED_AGE,
                money.OVERDUE,
                *(
                    gauge.labels(kind)
                    for gauge in (money.UNDECIDED, money.UNDECIDED_AGE)
                    for kind in money.KINDS_OF_MONEY
                ),
            ],
        ),
    ],
)
async def test_it_says_nothing_of_a_database_that_is_away(
    measure: Callable[[], Awaitable[None]], gauges: list[Gauge]
) -> None:
    for gauge in gauges:
        gauge.set(7)

    with suppress(ConnectionError):
        await measure()

    assert [gauge for gauge in gauges if not math.isnan(gauge._value.get())] == []
