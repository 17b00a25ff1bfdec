"""`python -m SERVICE doctor [--wait [SECONDS]]`: what is wrong, and what has not come yet, of one process."""

import asyncio
import sys
import time
from collections.abc import Iterable
from typing import Final

import httpx

from chassis.process.health import Health
from chassis.process.settings import ServiceSettings

POLL_SECONDS: Final = 1.0
ASK_SECONDS: Final = 2.0
WRONG: Final = 1
NOT_READY: Final = 3
"""As the exit status: the settings are good, and something that others bring is missing."""


def report(process: str, findings: Iterable[str]) -> int:
    """Print what is wrong and return the exit status: 0 where nothing is."""
    wrong = [f"{process}: {finding}" for finding in findings]
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    return WRONG if wrong else 0


async def failed_here(settings: ServiceSettings) -> list[str]:
    """Return the members of /readyz that the process running on this machine shows as failed; none where none runs."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ASK_SECONDS) as client:
            checks = (await client.get(f"http://127.0.0.1:{settings.ops_port}/readyz")).json()["checks"]
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return []
    return [name for name, state in checks.items() if state == "failed"]


async def wait_until_ready(process: str, health: Health, *, wait: float) -> int:
    """Print what is not ready, wait at most `wait` seconds for it, and return the exit status."""
    until, said = time.monotonic() + wait, ""
    while missing := await _missing(health):
        if missing != said:
            print(f"{process}: not ready: {missing}", file=sys.stderr, flush=True)
            for name, reason in health.reasons.items():
                print(f"{process}: {name}: {reason}", file=sys.stderr, flush=True)
            said = missing
        if time.monotonic() >= until:
            return NOT_READY
        await asyncio.sleep(POLL_SECONDS)
    print(f"{process}: nothing is wrong")
    return 0


async def _missing(health: Health) -> str:
    state = await health.readiness()
    return ", ".join(name for name, found in state.items() if found == "failed" and health.decides(name))
