"""Traces at the usual share beside none: processor time of a webhook in the gateway, and of a fact in the worker."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from sandbox.processes import SERVICES
from sandbox.stack import EmbeddedStack
from tests.bench.figures import Figure, side_by_side
from tests.bench.ledger import changed, connect, given_pending
from tests.bench.load import Plan
from tests.bench.options import Options
from tests.bench.processes import a_stack, cpu_seconds, send
from tests.bench.webhooks import Sale, paid_event, signed_request
from tests.bench.worker import WORKER, record_of_sale, until_applied, until_relayed
from tests.stack.otlp import an_otlp_receiver

GATEWAY: Final = "webhook-gateway"
ONE_IN: Final = 100
"""The share of OTEL_TRACES_SAMPLER_ARG's default."""
CONNECTIONS: Final = 16
WARM_SECONDS: Final = 0.5
MOST: Final = 1.10
"""Times the processor time without traces."""


async def measure(options: Options) -> Sequence[Figure]:
    """Each side in turn, by a process of its own each time, rounds times."""
    services = [service for service in SERVICES if service.name in (GATEWAY, WORKER)]
    with an_otlp_receiver() as receiver:
        on = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        async with a_stack(services, without=("stripe", "mailbox", "issuer")) as stack:
            turns = await _rounds(stack, on, options)
        note = f"{len(receiver.spans):,} spans were exported"
    if not receiver.spans:
        raise AssertionError("nothing was traced")
    return [
        _figure("traces at 1 %: processor time of a webhook", turns, GATEWAY, note),
        _figure("traces at 1 %: processor time of a fact", turns, WORKER, note),
    ]


def _figure(
    measure: str, turns: Sequence[tuple[Mapping[str, float], Mapping[str, float]]], name: str, note: str
) -> Figure:
    ours, bare = [on[name] for on, _ in turns], [off[name] for _, off in turns]
    return side_by_side(measure, ours=ours, bare=bare, unit="µs", wanted="at most", bound=MOST, note=note)


async def _rounds(
    stack: EmbeddedStack, on: Mapping[str, str], options: Options
) -> Sequence[tuple[Mapping[str, float], Mapping[str, float]]]:
    turns = []
    ledger = await connect(stack.infrastructure.database_urls["purchases"])
    async with AIOKafkaProducer(bootstrap_servers=stack.broker.bootstrap, acks="all") as producer:
        for number in range(options.rounds + 1):
            sides = {"on": on, "off": dict[str, str]()}
            found = {}
            for side in sorted(sides, reverse=bool(number % 2)):
                found[side] = {
                    GATEWAY: await _of_webhooks(stack, sides[side], options.seconds),
                    WORKER: await _of_facts(stack, sides[side], ledger, producer, options.facts),
                }
            print(f"  round {number}: {found['on']} beside {found['off']}", flush=True)
            turns.append((found["on"], found["off"]))
    ledger.terminate()
    return turns[1:]  # the first round was to warm up


async def _of_webhooks(stack: EmbeddedStack, env: Mapping[str, str], seconds: float) -> float:
    """Return microseconds of processor time for each."""
    await stack.restart(GATEWAY, env)
    requests = [signed_request(paid_event(Sale()), secret=stack.webhook_secret) for _ in range(500)]
    port, process = stack.addresses.ports[GATEWAY], stack.processes[GATEWAY]
    await send(Plan(port=port, connections=CONNECTIONS, requests=requests, seconds=WARM_SECONDS))
    before = cpu_seconds(process)
    answers = await send(Plan(port=port, connections=CONNECTIONS, requests=requests, seconds=seconds))
    return (cpu_seconds(process) - before) / answers.statuses["200"] * 1e6


async def _of_facts(stack: EmbeddedStack, env: Mapping[str, str], ledger: Any, producer: Any, number: int) -> float:
    """Return microseconds of processor time for each, from the record to its own facts on Kafka."""
    await stack.restart(WORKER, env)
    process = stack.processes[WORKER]
    for facts in (number // 10, number):
        sales = [Sale() for _ in range(facts)]
        await given_pending(ledger, sales)
        goal = (await changed(ledger))["history"] + facts
        records = [_traced(record_of_sale(sale), place) for place, sale in enumerate(sales)]
        before = cpu_seconds(process)
        await asyncio.gather(*[await producer.send(**record) for record in records])
        await until_applied(ledger, goal)
        await until_relayed(ledger)
        used = cpu_seconds(process) - before
    return used / number * 1e6


def _traced(record: Mapping[str, Any], place: int) -> dict[str, Any]:
    """Return it as the gateway sends it: with its trace, of which one in a hundred is sampled."""
    flags = "00" if place % ONE_IN else "01"
    trace = f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-{flags}".encode()
    return {**record, "headers": [*record["headers"], ("traceparent", trace)]}
