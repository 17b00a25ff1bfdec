"""Runs the subscribers of `contracts/subscribers` as another team would: a process that prints what it hears."""

import asyncio
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final
from uuid import uuid4

FOLDER: Final = Path(__file__).parents[1] / "contracts/subscribers"
SUBSCRIBERS: Final = sorted(FOLDER.glob("with_*.py"))
WITHIN_SECONDS: Final = 60


async def heard(subscriber: Path, *, bootstrap: str, until: Collection[str]) -> list[str]:
    """What it printed until all lines of `until` were there. Raises TimeoutError, or says why the process ended."""
    environment = os.environ | {"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "GROUP_ID": f"test-{uuid4().hex[:8]}"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(subscriber),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            return await _printed(process, set(until))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _printed(process: asyncio.subprocess.Process, missing: set[str]) -> list[str]:
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    while missing:
        line = (await process.stdout.readline()).decode()
        assert line, f"it ended: {(await process.stderr.read()).decode()[-2000:]}"
        lines.append(line.strip())
        missing.discard(lines[-1])
    return lines
