"""Wall time of `make demo`: with everything installed, and from a fresh clone with nothing downloaded yet."""

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sandbox import places
from tests.bench.figures import Figure, within_limit
from tests.bench.options import Options

WARM_SECONDS: Final = 60.0
COLD_SECONDS: Final = 120.0
AT_MOST_SECONDS: Final = 900.0


class DemoFailed(RuntimeError):  # noqa: N818 - named for what it says
    """`make demo` did not end with 0."""


async def measure(options: Options) -> Sequence[Figure]:
    """The cold one only where it is asked for: it downloads everything anew."""
    figures = [await _demo(places.checkout(), "warm", limit=WARM_SECONDS)]
    if options.cold:
        with tempfile.TemporaryDirectory() as directory:
            figures.append(await _cold(Path(directory)))
    return figures


async def _cold(directory: Path) -> Figure:
    clone = directory / "clone"
    command = ("git", "clone", "--quiet", "--no-hardlinks", str(places.checkout()), str(clone))
    await asyncio.to_thread(subprocess.run, command, check=True)
    caches = {name: str(directory / name.lower()) for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR", "SANDBOX_CACHE")}
    return await _demo(clone, "cold", limit=COLD_SECONDS, **caches)


async def _demo(checkout: Path, what: str, *, limit: float, **extra_env: str) -> Figure:
    print(f"  make demo, {what} …", flush=True)
    began = time.perf_counter()
    await _make(checkout, {**_environment(), **extra_env})
    return within_limit(f"make demo, {what}", time.perf_counter() - began, limit=limit, unit="s")


async def _make(checkout: Path, environment: Mapping[str, str]) -> None:
    """Its output is shown only when it fails; interrupted, it is signalled and awaited."""
    process = await asyncio.create_subprocess_exec(
        "make",
        "demo",
        cwd=checkout,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(AT_MOST_SECONDS):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGINT)
            await process.wait()
    if process.returncode != 0:
        raise DemoFailed(out.decode(errors="replace")[-4000:])


def _environment() -> dict[str, str]:
    """Ours, without the virtual environment that we run in."""
    return {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "MAKEFLAGS", "BROKER"}}
