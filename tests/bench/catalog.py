"""The catalog's public list, warm, beside a bare FastAPI route that returns the same bytes."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx

from sandbox.process import Process
from sandbox.processes import SERVICES
from sandbox.stack import EmbeddedStack
from tests.bench.figures import Figure, side_by_side
from tests.bench.ledger import connect
from tests.bench.load import Plan
from tests.bench.options import Options
from tests.bench.processes import a_bare_server, a_stack, cpu_seconds, send

PATH: Final = "/v1/addons"
CONNECTIONS: Final = 32
ON_SALE: Final = """
    insert into plan_addons (id, slug, name, bullets, price_cents, is_active, sort_order, created_at, updated_at)
    select gen_random_uuid(), 'addon-' || n, 'Add-on ' || n, '["One point", "Another"]', 100 * n, true, n, now(), now()
    from generate_series(1, 8) as n
"""


class Refused(AssertionError):  # noqa: N818 - named for what it says
    """Something else than 200 and 304 was answered."""


Turn = tuple[float, float]
"""Answers a second, and microseconds of processor time of each."""


async def measure(options: Options) -> Sequence[Figure]:
    """Both in turn, rounds times; 304 afterwards."""
    catalog = [service for service in SERVICES if service.name == "catalog"]
    async with a_stack(catalog, without=("stripe", "mailbox")) as stack:
        body, etag = await _given_a_list(stack)
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "body"
            file.write_bytes(body)
            words = ("--file", str(file), "--etag", etag)
            async with a_bare_server("tests.bench.bare_route", *words, directory=Path(directory)) as (process, port):
                ours = (stack.processes["catalog"], stack.addresses.ports["catalog"])
                return await _rounds(ours, (process, port), etag=etag, options=options)


async def _given_a_list(stack: EmbeddedStack) -> tuple[bytes, str]:
    connection = await connect(stack.infrastructure.database_urls["catalog"])
    await connection.execute(ON_SALE)
    await connection.close()
    async with httpx.AsyncClient(base_url=stack.addresses.url("catalog"), trust_env=False) as client:
        answer = await client.get(PATH)
    answer.raise_for_status()
    return answer.content, answer.headers["etag"]


async def _rounds(ours: tuple[Process, int], bare: tuple[Process, int], *, etag: str, options: Options) -> list[Figure]:
    ours_turns: list[Turn] = []
    bare_turns: list[Turn] = []
    known: list[Turn] = []
    for number in range(options.rounds + 1):
        for side, turns in ((ours, ours_turns), (bare, bare_turns)):
            turns.append(await _turn(*side, status="200", seconds=options.seconds))
        known.append(await _turn(*ours, f"If-None-Match: {etag}\r\n", status="304", seconds=options.seconds / 2))
        if number:
            print(f"  round {number}: {ours_turns[-1][0]:,.0f}/s beside {bare_turns[-1][0]:,.0f}/s", flush=True)
    return _figures(ours_turns[1:], bare_turns[1:], known[1:])  # the first round was to warm up


async def _turn(process: Process, port: int, headers: str = "", *, status: str, seconds: float) -> Turn:
    request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"
    before = cpu_seconds(process)
    answers = await send(Plan(port=port, connections=CONNECTIONS, requests=[request], seconds=seconds))
    if answers.statuses.keys() != {status} or answers.lost:
        raise Refused(f"answered {answers.statuses}, lost {answers.lost}")
    return answers.per_second, (cpu_seconds(process) - before) / answers.statuses[status] * 1e6


def _figures(ours: list[Turn], bare: list[Turn], known: list[Turn]) -> list[Figure]:
    rate, cost = 0, 1
    return [
        side_by_side(
            "catalog: list, warm",
            ours=[turn[rate] for turn in ours],
            bare=[turn[rate] for turn in bare],
            unit="/s",
            wanted="at least",
            bound=0.60,
        ),
        side_by_side(
            "catalog: processor time of a list",
            ours=[turn[cost] for turn in ours],
            bare=[turn[cost] for turn in bare],
            unit="µs",
            wanted="at most",
            bound=None,
        ),
        side_by_side(
            "catalog: 304 for a known ETag",
            ours=[turn[rate] for turn in known],
            bare=[turn[rate] for turn in bare],
            unit="/s",
            wanted="at least",
            bound=None,
            note="beside the bare 200",
        ),
    ]
