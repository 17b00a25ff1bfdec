"""Our programs as an operator starts them, with an environment that says only what a test says."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from sandbox.ports import free_port
from sandbox.process import Process
from sandbox.processes import clean_environment, python


@dataclass(frozen=True)
class Ended:
    """How a program ended, and all that it said."""

    status: int | None
    output: str


async def started(*words: str, given_settings: Mapping[str, str]) -> Process:
    number, log = tempfile.mkstemp(prefix="quittance-said-")
    os.close(number)
    ours = clean_environment() | {"SECRETS_DIR": os.devnull, **given_settings}
    process = Process(words[0], python(*words), log=Path(log), env=ours)
    process.start()
    return process


async def end_of(process: Process) -> Ended:
    """Wait for its end, a minute at most."""
    went_on = not await process.wait(within=60)
    await process.kill()
    output = process.log.read_text()
    process.log.unlink()
    assert not went_on, f"it went on:\n{output}"
    return Ended(process.exit_code, output)


async def run(*words: str, given_settings: Mapping[str, str]) -> Ended:
    return await end_of(await started(*words, given_settings=given_settings))


@asynccontextmanager
async def serving(
    *words: str, given_settings: Mapping[str, str], http_port: int | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Its operations port, once it answers; `http_port` is where it serves, if that matters."""
    ops = free_port()
    ports = {"HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(http_port or free_port()), "OPS_PORT": str(ops)}
    process = await started(*words, given_settings={**given_settings, **ports})
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ops}") as operator:
            await _until_it_answers(operator, process)
            yield operator
    finally:
        process.send(signal.SIGTERM)
        await end_of(process)


async def _until_it_answers(operator: httpx.AsyncClient, process: Process) -> None:
    async with asyncio.timeout(60):
        while True:
            assert process.running, process.log.read_text()
            try:
                await operator.get("/livez")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


async def checks_of(operator: httpx.AsyncClient) -> tuple[int, dict[str, str]]:
    answer = await operator.get("/readyz")
    checks: dict[str, str] = answer.json()["checks"]
    return answer.status_code, checks
