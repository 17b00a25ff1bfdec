"""The gateway beside a bare ASGI callable that verifies and produces: webhooks/s, p99, processor time, nothing lost."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Final

from contracts.topics import STRIPE_EVENTS, Topic
from sandbox.process import Process
from sandbox.processes import SERVICES
from sandbox.topics import create_topics
from tests.bench.figures import Figure, percentile, side_by_side
from tests.bench.kafka_ends import records_on
from tests.bench.load import Answers, Plan
from tests.bench.options import Options
from tests.bench.processes import a_bare_server, a_stack, cpu_seconds, send
from tests.bench.webhooks import Sale, paid_event, signed_request

DISTINCT: Final = 1000
"""Different events that are sent in turn: enough customers to fill every partition."""
MANY: Final = 64
FEW: Final = 16
BARE_TOPIC: Final = Topic(name="bench.bare.v1", key="none", owner="bench", retention=timedelta(days=1))


class Unequal(AssertionError):  # noqa: N818 - named for what it says
    """Webhooks that were answered with 200 are not on the topic, or something else is."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared."""

    process: Process
    port: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One side in one round: at c=64 and at c=16, and processor time over both."""

    many: Answers
    few: Answers
    cpu_microseconds: float


async def measure(options: Options) -> Sequence[Figure]:
    """Both in turn, rounds times."""
    gateway = [service for service in SERVICES if service.name == "webhook-gateway"]
    async with a_stack(gateway, without=("stripe", "mailbox", "issuer")) as stack:
        bootstrap, secret = stack.broker.bootstrap, stack.webhook_secret
        await create_topics(bootstrap, [BARE_TOPIC])
        words = ("--bootstrap", bootstrap, "--topic", BARE_TOPIC.name, "--secret", secret)
        with tempfile.TemporaryDirectory() as logs:
            async with a_bare_server("tests.bench.bare_gateway", *words, directory=Path(logs)) as (process, port):
                ours = Side(stack.processes["webhook-gateway"], stack.addresses.ports["webhook-gateway"])
                turns = await _rounds(ours, Side(process, port), secret=secret, options=options)
        return await _figures(*turns, bootstrap=bootstrap)


async def _rounds(ours: Side, bare: Side, *, secret: str, options: Options) -> tuple[list[Turn], list[Turn]]:
    ours_turns: list[Turn] = []
    bare_turns: list[Turn] = []
    for number in range(options.rounds + 1):
        sides = [(ours, ours_turns), (bare, bare_turns)]
        for side, turns in sides if number % 2 else reversed(sides):
            turns.append(await _turn(side, secret=secret, seconds=options.seconds))
        if number:
            print(f"  round {number}: {_round(ours_turns[-1])} beside {_round(bare_turns[-1])}", flush=True)
    return ours_turns, bare_turns


def _round(turn: Turn) -> str:
    p99 = percentile(turn.few.milliseconds, 0.99)
    return f"{turn.many.per_second:,.0f}/s, p99 {p99:.1f} ms, {turn.cpu_microseconds:.0f} µs"


async def _turn(side: Side, *, secret: str, seconds: float) -> Turn:
    requests = [signed_request(paid_event(Sale()), secret=secret) for _ in range(DISTINCT)]
    before = cpu_seconds(side.process)
    many = await send(Plan(port=side.port, connections=MANY, requests=requests, seconds=seconds))
    few = await send(Plan(port=side.port, connections=FEW, requests=requests, seconds=seconds))
    used = cpu_seconds(side.process) - before
    return Turn(many, few, used / sum(chain(many.statuses.values(), few.statuses.values())) * 1e6)


async def _figures(ours: list[Turn], bare: list[Turn], *, bootstrap: str) -> Sequence[Figure]:
    notes = [
        await _nothing_lost(turns, topic, bootstrap) for turns, topic in ((ours, STRIPE_EVENTS), (bare, BARE_TOPIC))
    ]
    ours, bare = ours[1:], bare[1:]  # the first round was to warm up
    return [
        side_by_side(
            f"gateway: durable webhooks/s, c={MANY}",
            ours=[turn.many.per_second for turn in ours],
            bare=[turn.many.per_second for turn in bare],
            unit="/s",
            wanted="at least",
            bound=0.80,
            note=f"ours {notes[0]}; bare {notes[1]}",
        ),
        side_by_side(
            f"gateway: p99 at c={FEW}",
            ours=[percentile(turn.few.milliseconds, 0.99) for turn in ours],
            bare=[percentile(turn.few.milliseconds, 0.99) for turn in bare],
            unit="ms",
            wanted="at most",
            bound=2.0,
        ),
        side_by_side(
            "gateway: processor time of a webhook",
            ours=[turn.cpu_microseconds for turn in ours],
            bare=[turn.cpu_microseconds for turn in bare],
            unit="µs",
            wanted="at most",
            bound=None,
        ),
    ]


async def _nothing_lost(turns: list[Turn], topic: Topic, bootstrap: str) -> str:
    """Compare what was answered with what is there, all rounds together. Raises Unequal."""
    answers = [phase for turn in turns for phase in (turn.many, turn.few)]
    yes = sum(answer.statuses.get("200", 0) for answer in answers)
    other = sum(sum(answer.statuses.values()) + answer.lost for answer in answers) - yes
    found = await records_on(bootstrap, topic)
    if found != yes or other:
        raise Unequal(f"{topic.name}: {yes} answered 200, {other} otherwise or not at all, {found} records")
    return f"{yes:,} answered 200 = {found:,} records"
