"""Our programs as an operator starts them, with an environment that says only what a test says."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from sandbox.ports import free_port
from sandbox.processes import clean_environment


@dataclass(frozen=True)
class Ended:
    """How a program ended, and all that it said."""

    status: int | None
    output: str


async def started(*words: str, told: Mapping[str, str]) -> asyncio.subprocess.Process:
    ours = clean_environment() | {"SECRETS_DIR": os.devnull, **told}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, env=ours, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )


async def end_of(process: asyncio.subprocess.Process) -> Ended:
    """Wait for its end, a minute at most."""
    try:
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        output, _ = await process.communicate()
        raise AssertionError(f"it went on:\n{output.decode()}") from None
    return Ended(process.returncode, output.decode())


async def run(*words: str, told: Mapping[str, str]) -> Ended:
    return await end_of(await started(*words, told=told))


@asynccontextmanager
async def serving(*words: str, told: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """Its operations port, once it answers."""
    ops = free_port()
    ports = {"HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(free_port()), "OPS_PORT": str(ops)}
    process = await started(*words, told={**told, **ports})
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ops}") as operator:
            await _until_it_answers(operator, process)
            yield operator
    finally:
        if process.returncode is None:
            process.terminate()
        await end_of(process)


async def _until_it_answers(operator: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60):
        while True:
            assert process.returncode is None, (await end_of(process)).output
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
