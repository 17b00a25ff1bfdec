"""One container as a process here: started, probed, started again, and stopped as a kubelet would."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from sandbox.process import Process
from tests.cluster.api.cluster import Object
from tests.cluster.nodes.resolved import Started, Unresolved

_KEPT: Final = ("HOME", "LANG", "PATH")
"""All that a process has of this machine's environment: no setting of ours comes from anywhere but its pod."""
_AGAIN_SECONDS: Final = 2.0
_LONGEST_JOB_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """How a container was stopped: how many seconds it had SIGTERM, and whether it had to be killed."""

    seconds: float
    killed: bool
    code: int | None


class Container:
    """`changed` is awaited whenever `ready` or `restarts` are other than before."""

    def __init__(self, spec: Object, started: Started, *, address: str, log: Path, changed: Callable[[], Any]) -> None:
        self.spec = spec
        self.ready = False
        self.started = False
        self.restarts = 0
        self.stopping = False
        self.stopped: Stop | None = None
        self._address = address
        self._changed: Callable[[], Awaitable[None]] = changed
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        # Instead of a network of its own, the pod has an address of its own on loopback.
        own = {"HTTP_HOST": address, "PYTHONUNBUFFERED": "1"}
        self.process = Process(spec["name"], started.command, log=log, env={**kept, **started.environment, **own})

    async def run_to_end(self) -> int:
        """Return the exit code of what is to end by itself."""
        self.process.start()
        await self.process.wait(within=_LONGEST_JOB_SECONDS)
        await self.process.kill()
        return self.process.exit_code or 0

    async def serve(self) -> None:
        """Keep it running and probed until it is stopped."""
        while not self.stopping:
            self.process.start()
            self.started = not self.spec.get("startupProbe")
            probing = asyncio.create_task(self._probe())
            try:
                while self.process.running:
                    if probing.done():
                        probing.result()
                    await asyncio.sleep(0.1)
            finally:
                probing.cancel()
                await asyncio.gather(probing, return_exceptions=True)
            await self._say(ready=False, started=False)
            if not self.stopping:
                self.restarts += 1
                await self._changed()
                await asyncio.sleep(_AGAIN_SECONDS)

    async def stop(self, grace: float) -> None:
        """Run preStop, then SIGTERM, and SIGKILL once `grace` seconds are over; preStop counts as part of them."""
        began = time.monotonic()
        self.stopping = True
        await asyncio.sleep(min(self._pre_stop(), grace))
        sent_at = time.monotonic()
        self.process.send(signal.SIGTERM)
        ended = await self.process.wait(within=max(0.0, grace - (sent_at - began)))
        if not ended:
            await self.process.kill()
        self.stopped = Stop(seconds=time.monotonic() - sent_at, killed=not ended, code=self.process.exit_code)

    def _pre_stop(self) -> float:
        hook = self.spec.get("lifecycle", {}).get("preStop")
        if hook is None:
            return 0.0
        if "sleep" not in hook:
            raise Unresolved(f"no preStop but sleep here: {hook}")
        return float(hook["sleep"]["seconds"])

    async def _probe(self) -> None:
        """Wait for the startup probe, then ask the two others side by side. A failed one ends the process."""
        if startup := self.spec.get("startupProbe"):
            if not await self._passes(startup):
                return await self.process.stop()
            await self._say(ready=self.ready, started=True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_readiness())
            tasks.create_task(self._watch_liveness())
        return None

    async def _passes(self, probe: Object) -> bool:
        """Return whether it succeeded before it failed as often in a row as it may."""
        await asyncio.sleep(probe.get("initialDelaySeconds", 0))
        for _ in range(probe["failureThreshold"]):
            if await self._ask(probe):
                return True
            await asyncio.sleep(probe["periodSeconds"])
        return False

    async def _watch_readiness(self) -> None:
        probe = self.spec.get("readinessProbe")
        if probe is None:
            return await self._say(ready=True, started=True)
        failures = 0
        while True:
            passed = await self._ask(probe)
            failures = 0 if passed else failures + 1
            if passed or failures >= probe["failureThreshold"]:
                await self._say(ready=passed, started=True)
            await asyncio.sleep(probe["periodSeconds"])

    async def _watch_liveness(self) -> None:
        probe = self.spec.get("livenessProbe")
        failures = 0
        while probe is not None:
            failures = 0 if await self._ask(probe) else failures + 1
            if failures >= probe["failureThreshold"] and not self.stopping:
                return await self.process.stop()
            await asyncio.sleep(probe["periodSeconds"])
        return None

    async def _ask(self, probe: Object) -> bool:
        """Return whether GET answers with less than 400, in time."""
        if "httpGet" not in probe:
            raise Unresolved(f"no probe but httpGet here: {probe}")
        asked = probe["httpGet"]
        url = f"http://{self._address}:{self._port(asked['port'])}{asked['path']}"
        try:
            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=probe["timeoutSeconds"]) as client:
                return (await client.get(url)).status_code < 400
        except httpx.TransportError:
            return False

    def _port(self, port: int | str) -> int:
        named = {declared["name"]: declared["containerPort"] for declared in self.spec.get("ports", [])}
        return int(named[port]) if isinstance(port, str) else port

    async def _say(self, *, ready: bool, started: bool) -> None:
        if (ready, started) != (self.ready, self.started):
            self.ready, self.started = ready, started
            await self._changed()
