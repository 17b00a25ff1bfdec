"""The purchases worker beside a bare asyncpg script that writes the same rows: facts/s, processor time, row counts."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from chassis.database.migrations import migrate
from contracts import PURCHASE_EVENTS, PURCHASE_STATE
from purchases.main import MIGRATIONS
from sandbox.processes import SERVICES
from sandbox.stack import EmbeddedStack
from tests.bench import bare_batch
from tests.bench.figures import Figure, side_by_side
from tests.bench.kafka_ends import records_on
from tests.bench.ledger import changed, connect, given_pending
from tests.bench.options import Options
from tests.bench.processes import a_stack, cpu_seconds
from tests.bench.webhooks import Sale, paid_event
from webhook_gateway.stripe_events.intake import take_in

WORKER: Final = "purchases-worker"
WITHIN_SECONDS: Final = 120
PAUSE_SECONDS: Final = 0.03
FACTS_EACH: Final = 2
"""PurchasePaid and PurchaseState."""


class NotAllApplied(AssertionError):  # noqa: N818 - named for what it says
    """Rows or facts are missing, or there are more than were asked for."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One side in one round."""

    per_second: float
    cpu_microseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What both sides work on: one server, and a database each, so that neither's relay sees the other's rows."""

    stack: EmbeddedStack
    producer: Any
    ours: Any
    bare: Any


async def measure(options: Options) -> Sequence[Figure]:
    """Both in turn, rounds times."""
    worker = [service for service in SERVICES if service.name == WORKER]
    async with a_stack(worker, without=("stripe", "mailbox", "issuer")) as stack, _bench(stack) as bench:
        ours: list[Turn] = []
        bare: list[Turn] = []
        for number in range(options.rounds + 1):
            ours.append(await _ours(bench, options.facts))
            bare.append(await _bare(bench, options.facts))
            print(f"  round {number}: {ours[-1].per_second:,.0f}/s beside {bare[-1].per_second:,.0f}/s", flush=True)
        note = await _all_applied(bench, facts=options.facts * len(ours))
        return _figures(ours[1:], bare[1:], note)  # the first round was to warm up


@asynccontextmanager
async def _bench(stack: EmbeddedStack) -> AsyncIterator[Bench]:
    bare_url = await stack.infrastructure.postgres.add_owner("bare")
    await asyncio.to_thread(migrate, url=bare_url, migrations=MIGRATIONS)
    ours = await connect(stack.infrastructure.database_urls["purchases"])
    bare = await connect(bare_url)
    async with AIOKafkaProducer(
        bootstrap_servers=stack.broker.bootstrap, acks="all", enable_idempotence=True, max_batch_size=1 << 20
    ) as producer:
        yield Bench(stack=stack, producer=producer, ours=ours, bare=bare)
    ours.terminate()
    bare.terminate()


async def _ours(bench: Bench, number: int) -> Turn:
    """From the first batch's first statement to the moment when the last row is there for others to see."""
    sales = [Sale() for _ in range(number)]
    await given_pending(bench.ours, sales)
    records = [record_of_sale(sale) for sale in sales]
    goal = (await changed(bench.ours))["history"] + number
    process = bench.stack.processes[WORKER]
    before, asked_at = cpu_seconds(process), time.time()
    await asyncio.gather(*[await bench.producer.send(**record) for record in records])
    ended = await until_applied(bench.ours, goal)
    used = cpu_seconds(process) - before
    first = await bench.ours.fetchval(
        "select extract(epoch from min(received_at))::float8 from inbox where received_at > to_timestamp($1)", asked_at
    )
    await until_relayed(bench.ours)
    return Turn(number / (ended - first), used / number * 1e6)


async def _bare(bench: Bench, number: int) -> Turn:
    sales = [Sale() for _ in range(number)]
    await given_pending(bench.bare, sales)
    batches = bare_batch.prepare(sales)
    before, began = time.process_time(), time.perf_counter()
    await bare_batch.write(bench.bare, batches)
    seconds, used = time.perf_counter() - began, time.process_time() - before
    await bench.bare.execute("delete from outbox")
    return Turn(number / seconds, used / number * 1e6)


def record_of_sale(sale: Sale) -> Mapping[str, Any]:
    """What the gateway would publish."""
    record = take_in(body=paid_event(sale), livemode=False, received_at=time.time()).record
    if record is None:
        raise NotAllApplied("the gateway would not publish the event")
    return record._asdict()


async def until_applied(connection: Any, goal: int) -> float:
    deadline = time.time() + WITHIN_SECONDS
    while await connection.fetchval("select count(*) from purchase_transitions") < goal:
        if time.time() > deadline:
            raise NotAllApplied(f"not within {WITHIN_SECONDS} s: {await changed(connection)}, not {goal}")
        await asyncio.sleep(PAUSE_SECONDS)
    return time.time()


async def until_relayed(connection: Any) -> None:
    """So that the relay does not work while the bare side is measured."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while await connection.fetchval("select exists(select from outbox)"):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(PAUSE_SECONDS)


async def _all_applied(bench: Bench, *, facts: int) -> str:
    """Compare rows and facts with what was sent. Raises NotAllApplied."""
    rows, bare_rows = await changed(bench.ours), await changed(bench.bare)
    bootstrap = bench.stack.broker.bootstrap
    published = [await records_on(bootstrap, topic) for topic in (PURCHASE_EVENTS, PURCHASE_STATE)]
    if {*rows.values(), *bare_rows.values(), *published} != {facts}:
        raise NotAllApplied(f"{facts} facts sent; rows {rows}, bare {bare_rows}, facts on Kafka {published}")
    parts = ", ".join(f"{name} {count:,}" for name, count in rows.items())
    return f"rows changed: {parts}, outbox {facts * FACTS_EACH:,}; all relayed"


def _figures(ours: list[Turn], bare: list[Turn], note: str) -> Sequence[Figure]:
    return [
        side_by_side(
            "worker: Stripe facts applied/s",
            ours=[turn.per_second for turn in ours],
            bare=[turn.per_second for turn in bare],
            unit="/s",
            wanted="at least",
            bound=0.60,
            note=note,
        ),
        side_by_side(
            "worker: processor time of a fact, its relay too",
            ours=[turn.cpu_microseconds for turn in ours],
            bare=[turn.cpu_microseconds for turn in bare],
            unit="µs",
            wanted="at most",
            bound=None,
        ),
    ]
