"""What the measures start beside the stack: the load generator, bare servers; and what a process has cost so far."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]

from sandbox import places
from sandbox.ports import free_port, is_listening
from sandbox.process import Process
from sandbox.processes import Service, clean_environment, python
from sandbox.stack import EmbeddedStack
from tests.bench.load import Answers, Plan

START_SECONDS: Final = 30.0


class LoadFailed(RuntimeError):  # noqa: N818 - named for what it says
    """The load generator ended without a result."""


@asynccontextmanager
async def a_stack(
    services: Sequence[Service], *, without: Sequence[str] = (), **extra_env: str
) -> AsyncIterator[EmbeddedStack]:
    """A fresh stack with these services only: nobody else's work is measured. Apache Kafka, and a durable database."""
    names = ", ".join(service.name for service in services)
    print(f"  starting PostgreSQL, Apache Kafka, {names} …", flush=True)
    async with EmbeddedStack(services=services, broker="kafka", without=without, extra_env=extra_env) as stack:
        yield stack


@asynccontextmanager
async def a_bare_server(module: str, *words: str, directory: Path) -> AsyncIterator[tuple[Process, int]]:
    """`python -m module --port PORT words…`, from when it listens until the block is left; its process and port."""
    port = free_port()
    log = directory / f"{module}.log"
    command = python(module, "--port", str(port), *words)
    process = Process(module, command, log=log, env=clean_environment(), cwd=places.checkout())

    async def listens() -> bool:
        return is_listening(port)

    process.start()
    try:
        await process.until(listens, within=START_SECONDS)
        yield process, port
    finally:
        await process.stop()


async def send(plan: Plan) -> Answers:
    """Carry `plan` out in a process of its own. Raises LoadFailed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=places.checkout(),
    )
    try:
        out, _ = await process.communicate(json.dumps(asdict(plan)).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise LoadFailed(f"the load generator ended with {process.returncode}")
    return Answers(**json.loads(out))


def cpu_seconds(process: Process) -> float:
    """Processor time that a process and its children have used: it tells costs apart on a busy machine."""
    own = psutil.Process(process.pid)
    times = [one.cpu_times() for one in (own, *own.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))
