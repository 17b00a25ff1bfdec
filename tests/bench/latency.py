"""From a signed webhook to PurchasePaid on Kafka and to the mail at the mail server, through the whole stack."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid5

from aiokafka import AIOKafkaConsumer

from contracts import PURCHASE_EVENTS
from contracts.purchase_facts import PurchasePaid
from notifier.delivery.messages import MESSAGE_IDS
from sandbox.processes import SERVICES
from sandbox.stack import EmbeddedStack
from tests.bench.figures import Figure, percentile, within_limit
from tests.bench.ledger import connect, given_pending
from tests.bench.load import Answers, Plan
from tests.bench.options import Options
from tests.bench.processes import a_bare_server, a_stack, cpu_seconds, send
from tests.bench.webhooks import Sale, paid_event, signed_request

CONNECTIONS: Final = 32
CORES: Final = os.cpu_count() or 1
WARM_UP_SECONDS: Final = 2
WITHIN_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.05


class NotAllArrived(AssertionError):  # noqa: N818 - named for what it says
    """Facts or mails are missing, or there are too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Milliseconds of each webhook, and of processor time for one, by process."""

    answered: list[float]
    to_fact: list[float]
    to_mail: list[float]
    processor: dict[str, float]


async def measure(options: Options) -> Sequence[Figure]:
    """One run at `options.rate`, after a short one to warm up."""
    with tempfile.TemporaryDirectory() as directory:
        arrivals = Path(directory) / "mails"
        words = ("--file", str(arrivals))
        async with (
            a_bare_server("tests.bench.smtp_sink", *words, directory=Path(directory)) as (_, port),
            a_stack(SERVICES, SMTP_URL=f"smtp://127.0.0.1:{port}") as stack,
            _facts_seen(stack) as seen,
        ):
            await _run(stack, seen, arrivals, rate=options.rate, seconds=WARM_UP_SECONDS)
            run = await _run(stack, seen, arrivals, rate=options.rate, seconds=options.latency_seconds)
    return _figures(run, rate=options.rate)


async def _run(stack: EmbeddedStack, seen: Mapping[str, float], arrivals: Path, *, rate: int, seconds: float) -> Run:
    """Send, and wait until every fact and every mail has come."""
    sales = [Sale() for _ in range(int(rate * seconds))]
    ledger = await connect(stack.infrastructure.database_urls["purchases"])
    await given_pending(ledger, sales)
    await ledger.close()
    requests = [signed_request(paid_event(sale), secret=stack.webhook_secret) for sale in sales]
    port, before = stack.addresses.ports["webhook-gateway"], _used(stack)
    answers = await send(Plan(port=port, connections=CONNECTIONS, requests=requests, rate=rate))
    if answers.statuses != {"200": len(sales)}:
        raise NotAllArrived(f"{len(sales)} webhooks sent, answered {answers.statuses}, lost {answers.lost}")
    fact_at = await _all([str(sale.purchase_id) for sale in sales], lambda: seen, "facts")
    mail_at = await _all([_message_id(sale) for sale in sales], lambda: dict(_mails(arrivals)), "mails")
    return Run(
        answered=answers.milliseconds,
        to_fact=_milliseconds(answers, fact_at),
        to_mail=_milliseconds(answers, mail_at),
        processor={name: (used - before[name]) / len(sales) * 1000 for name, used in _used(stack).items()},
    )


def _used(stack: EmbeddedStack) -> dict[str, float]:
    return {name: cpu_seconds(process) for name, process in stack.processes.items()}


def _milliseconds(answers: Answers, arrived: Sequence[float]) -> list[float]:
    return [(at - due) * 1000 for at, due in zip(arrived, answers.due_at, strict=True)]


async def _all(names: Sequence[str], look: Any, what: str) -> list[float]:
    """When each of `names` came, once all are there."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while missing := set(names) - (arrived := look()).keys():
        if time.monotonic() > deadline:
            raise NotAllArrived(f"{len(missing)} of {len(names)} {what} did not come within {WITHIN_SECONDS:.0f} s")
        await asyncio.sleep(PAUSE_SECONDS)
    return [arrived[name] for name in names]


def _mails(arrivals: Path) -> Iterator[tuple[str, float]]:
    """The first arrival of each message."""
    lines = [line.split("\t") for line in arrivals.read_text().splitlines() if "\t" in line]
    return ((name, float(at)) for name, at in reversed(lines) if at)


def _message_id(sale: Sale) -> str:
    return str(uuid5(MESSAGE_IDS, f"purchase-paid:{sale.purchase_id}"))


@asynccontextmanager
async def _facts_seen(stack: EmbeddedStack) -> AsyncIterator[dict[str, float]]:
    """When a subscriber first had each PurchasePaid, by purchase id; it grows while the block runs."""
    seen: dict[str, float] = {}
    async with AIOKafkaConsumer(
        PURCHASE_EVENTS.name,
        bootstrap_servers=stack.broker.bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    ) as consumer:
        watching = asyncio.create_task(_watch(consumer, seen))
        try:
            yield seen
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _watch(consumer: Any, seen: dict[str, float]) -> None:
    async for record in consumer:
        headers = dict(record.headers)
        if headers["ce_type"] == PurchasePaid.TYPE.encode():
            seen.setdefault(headers["ce_subject"].decode(), time.time())


def _figures(run: Run, *, rate: int) -> Sequence[Figure]:
    facts, mails, at = run.to_fact, run.to_mail, f"at {rate}/s"
    note = f"{len(facts):,} webhooks, as many facts and mails"
    dearest = sorted(run.processor.items(), key=lambda item: -item[1])
    split = ", ".join(f"{name} {used:.1f}" for name, used in dearest if used >= 0.1)
    return [
        within_limit(f"webhook → 200, p99 {at}", percentile(run.answered, 0.99), limit=100, unit="ms"),
        within_limit(f"webhook → PurchasePaid, p50 {at}", percentile(facts, 0.50), limit=25, unit="ms", note=note),
        within_limit(f"webhook → PurchasePaid, p99 {at}", percentile(facts, 0.99), limit=100, unit="ms"),
        within_limit(f"webhook → mail, p50 {at}", percentile(mails, 0.50), limit=250, unit="ms"),
        within_limit(f"webhook → mail, p99 {at}", percentile(mails, 0.99), limit=250, unit="ms"),
        Figure(
            measure=f"processor time of one, {at}",
            ratio=sum(run.processor.values()) * rate / 1000 / CORES,
            wanted="at most",
            bound=None,
            ours=sum(run.processor.values()),
            beside=1000 * CORES / rate,
            unit="ms",
            note=f"all there is, beside; {split}",
        ),
    ]
