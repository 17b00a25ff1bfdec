"""What the gauges of money ask of the database: little of a large table, and nothing for long of a slow one."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from chassis.process.health import Health
from purchases.reconcile import unrecorded
from purchases.worker import run_jobs
from purchases.worker.run_jobs import JobsLoop
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.test_money_gauges import JOB, KINDS, NOTE, shown

MANY_PARKED: Final = """
    insert into parked (consumer, fact_id, type, topic, partition, "offset", value, headers, reason, parked_at)
    select 'purchases', gen_random_uuid(), 'billing.stripe.invoice_paid.v1', 't', 0, number, ''::bytea, '[]', '', now()
    from generate_series(1, 5000) number
"""


@contextmanager
def listening(engine: Engine, hears: Callable[..., object]) -> Iterator[None]:
    event.listen(engine, "before_cursor_execute", hears)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", hears)


async def test_what_is_set_aside_is_found_by_its_index(harness: Harness) -> None:
    """`parked` grows: each note asks for its one fact by consumer and id."""
    await harness.execute(MANY_PARKED)
    await harness.execute("insert into parked_references select 'in_' || \"offset\", fact_id from parked")
    await harness.execute(NOTE)
    await harness.execute("analyze parked, parked_references, stripe_unrecorded_payments")
    asked: list[tuple[str, tuple[object, ...]]] = []
    engine = harness.database.engine
    with listening(engine.sync_engine, lambda *about: asked.append((about[2], about[3]))):
        async with harness.database.reading() as session:
            await unrecorded.still_unrecorded(session)
    statement, parameters = asked[-1]

    async with engine.connect() as connection:
        plan = "".join((await connection.exec_driver_sql(f"explain {statement}", parameters)).scalars())

    assert re.search(
        r"using parked_fact on parked .*?Index Cond: \(\(consumer = 'purchases'::text\) AND \(fact_id = ", plan
    )
    assert "Seq Scan on parked" not in plan


@asynccontextmanager
async def held(harness: Harness, table: str) -> AsyncIterator[None]:
    """Whoever reads the table waits."""
    async with harness.database.engine.connect() as connection:
        await connection.execute(text(f"lock table {table} in access exclusive mode"))
        yield
        await connection.rollback()


async def test_a_question_that_takes_too_long_leaves_its_own_gauge_unknown_and_no_other(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given facts that cannot be counted in time, then budgets are forgotten, and the other gauges are right."""
    monkeypatch.setattr(run_jobs, "MEASURE_SECONDS", 0.3, raising=False)
    await harness.execute("insert into stripe_budgets values ('ws-1', 1, now() - interval '2 days')")
    await harness.execute(JOB, kind="adopt_card", state="parked")

    async with held(harness, "parked"):
        with suppress(DBAPIError):
            await asyncio.wait_for(harness.loop.update_gauges(), 10)
    figures = {kind: shown("billing_undecided_money_items", kind=kind) for kind in KINDS}

    assert await harness.rows("select 1 from stripe_budgets") == []
    assert math.isnan(figures.pop("fact") or 0)
    assert figures == {"payment": 0, "command": 1, "refund": 0, "purchase": 0}


async def test_a_worker_whose_database_is_slow_is_not_taken_for_one_that_hangs(harness: Harness) -> None:
    """Given 20 s for each statement, then there is a beat between any two questions."""
    seconds, late = 0.0, []
    health = Health(clock=lambda: seconds)

    def takes_long(*_: object) -> None:
        nonlocal seconds
        seconds += 20
        late.append(health.late())

    health.beat("brake-watch")
    with listening(harness.database.engine.sync_engine, takes_long):
        await JobsLoop(context=harness.context, health=health).update_gauges()

    assert len(late) >= 10
    assert [one for one in late if one] == []
