"""A process that is stopped: its parts stop side by side, what they stand on after them, and all of it in time."""

import signal
import subprocess
import sys
import textwrap
import time
from typing import Final

from chassis.kafka import kafka
from chassis.outbox import consumer, relay
from chassis.process import process
from chassis.web import server
from purchases.worker import run_jobs

PROGRAM: Final = """
import asyncio, time
from contextlib import asynccontextmanager
from chassis.process import process
from chassis.process.health import Health

@asynccontextmanager
async def part(name, seconds):
    try:
        yield
    finally:
        print(name, "stops", flush=True)
        await asyncio.sleep(seconds)
        print(name, "stopped", flush=True)

async def main():
    process.PARTS_SECONDS = process.FOUNDATIONS_SECONDS = {bound}
    parts = [part(f"part-{{number}}", {seconds}) for number in range(4)]
    async def serving():
        await asyncio.sleep(0.1)
        print("serves", flush=True)
    asyncio.create_task(serving())
    await process.run_process(*parts, foundations=[part("database", 0)], health=Health())

process.run(main)
"""


def stopped(*, seconds: float, bound: float) -> tuple[int, float, list[str]]:
    """The exit status of a process with four parts that take `seconds`, how long it took, and what they said."""
    program = textwrap.dedent(PROGRAM.format(seconds=seconds, bound=bound))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        while "serves" not in child.stdout.readline():
            pass
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        said = [line for line in child.stdout.read().splitlines() if line.startswith(("part-", "database"))]
    return child.wait(), time.monotonic() - began, said


def test_parts_stop_side_by_side_and_then_what_they_stand_on() -> None:
    status, seconds, said = stopped(seconds=1, bound=20)

    assert (status, seconds < 3) == (0, True), seconds
    assert sorted(said[:4]) == [f"part-{number} stops" for number in range(4)]
    assert said[8:] == ["database stops", "database stopped"]


def test_a_part_that_does_not_stop_is_cut_off_in_time() -> None:
    status, seconds, said = stopped(seconds=60, bound=0.5)

    assert (status, seconds < 5) == (process.CUT_SHORT, True), seconds
    assert [line for line in said if line.endswith("stopped")] == []


def test_each_part_has_time_to_stop_by_itself_before_it_is_cut_off() -> None:
    """Otherwise the bounds of the parts would be no bounds: docs/architecture/running.md says them."""
    parts = (
        consumer.STOP_SECONDS + 5,
        server.GRACEFUL_SECONDS + 5,
        relay.FINISH_SECONDS + kafka.STOP_SECONDS,
        run_jobs.FINISH_SECONDS + run_jobs.GIVE_BACK_SECONDS + run_jobs.CUT_OFF_SECONDS,
    )

    assert max(parts) < process.PARTS_SECONDS
    assert server.OPS_GRACEFUL_SECONDS + 5 < process.FOUNDATIONS_SECONDS
