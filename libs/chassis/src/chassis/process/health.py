"""Liveness, readiness and metrics on the operations port."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.problems import Problem, ProblemResponse
from chassis.process import metrics as exported
from chassis.process.logs import get_logger

log = get_logger(__name__)

BEAT_LIMIT: Final = 75.0
"""After so many seconds without a beat a loop hangs, and /livez fails. Longer than one turn takes whose database is
silent: 10 s for a connection of the pool, 5 s to make it, 30 s for a command and as many to give it up."""
CHECK_TIMEOUT: Final = 2.0
Check = Callable[[], Awaitable[object]]


class NotReady(Exception):  # noqa: N818 - named for what it says
    """What a check raises to say what is missing, in a sentence that /readyz and the doctor show."""


@dataclass(frozen=True, slots=True)
class _Beat:
    at: float
    limit: float


class Health:
    """Loops say that they turn; checks say whether the process can serve.

    Liveness is a heartbeat and never a ping of a broker or database: restarting us does not heal them.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beats: dict[str, _Beat] = {}
        self._checks: dict[str, Check] = {}
        self._informational: set[str] = set()
        self._reasons: dict[str, str] = {}
        self._draining = False
        self._looking: asyncio.Task[object] | None = None

    def beat(self, loop: str, *, limit: float = BEAT_LIMIT) -> None:
        """`loop` turned; it will again within `limit` seconds. The first beat registers it."""
        self._beats[loop] = _Beat(self._clock(), limit)

    async def rest(self, loop: str, seconds: float) -> None:
        """Sleep, as `loop` does between two turns that are far apart."""
        self.beat(loop, limit=seconds + BEAT_LIMIT)
        await asyncio.sleep(seconds)
        self.beat(loop)

    def forget(self, loop: str) -> None:
        """`loop` ended on purpose."""
        self._beats.pop(loop, None)

    def check(self, name: str, check: Check) -> None:
        """Ready only while `check` returns, in time, anything but False."""
        self._checks[name] = check
        exported.READY_CHECK.labels(name).set(exported.UNKNOWN)

    def inform(self, name: str, check: Check) -> None:
        """As `check`, reported without changing the status: it is somebody's matter, and being ready is not."""
        self._informational.add(name)
        self.check(name, check)

    def decides(self, name: str) -> bool:
        """Return whether the process is ready only while `name` passes."""
        return name not in self._informational

    def drain(self) -> None:
        """Not ready from now on: the process is about to stop."""
        self._draining = True

    def late(self) -> dict[str, float]:
        """Loops over their limit, with the age of their last beat in seconds."""
        now = self._clock()
        return {loop: round(now - beat.at, 1) for loop, beat in self._beats.items() if now - beat.at > beat.limit}

    async def readiness(self) -> dict[str, str]:
        """Return `ok` or `failed`, by check. All run at once, each within CHECK_TIMEOUT."""
        results = await asyncio.gather(*(_run(name, check) for name, check in self._checks.items()))
        reasons = dict(zip(self._checks, results, strict=True))
        if self._draining:
            reasons["draining"] = "the process is about to stop"
        self._reasons = {name: reason for name, reason in reasons.items() if reason}
        state = {name: "failed" if reason else "ok" for name, reason in reasons.items()}
        self._export(state)
        return state

    @property
    def reasons(self) -> Mapping[str, str]:
        """Return why each check failed that did the last time, in a sentence without a secret."""
        return self._reasons

    def _export(self, state: Mapping[str, str]) -> None:
        for name in self._checks:
            exported.READY_CHECK.labels(name).set(state[name] == "ok")
        exported.READY.set(all(result == "ok" for name, result in state.items() if self.decides(name)))

    def look_again(self) -> None:
        """Run the checks in the background, so that the next scrape shows how they are; a scrape waits for none."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self.readiness(), name="readiness")

    @property
    def loops(self) -> frozenset[str]:
        """The registered loops."""
        return frozenset(self._beats)


async def _run(name: str, check: Check) -> str:
    """Return why it failed, or nothing. Of an exception that is not ours the log alone has the words."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            passed = await check()
    except NotReady as missing:
        return str(missing)
    except Exception as error:
        log.warning("not_ready", check=name, error=repr(error)[:300])
        return f"no answer in {CHECK_TIMEOUT:.0f} s" if isinstance(error, TimeoutError) else type(error).__name__
    return "not yet" if passed is False else ""


def ops_app(health: Health) -> ASGIApp:
    """Serve `/livez`, `/readyz` and `/metrics` on the operations port, which is never public."""

    async def livez() -> Response:
        late = health.late()
        return _answer(not late, {"loops": sorted(health.loops), "late": late})

    async def readyz() -> Response:
        checks = await health.readiness()
        failed = [name for name, state in checks.items() if state == "failed" and health.decides(name)]
        return _answer(not failed, {"checks": checks, "reasons": health.reasons})

    async def metrics() -> Response:
        health.look_again()
        return Response(generate_latest(REGISTRY), headers={"content-type": CONTENT_TYPE_LATEST})

    pages = {"/livez": livez, "/readyz": readyz, "/metrics": metrics}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (await _page(pages, scope))(scope, receive, send)

    return app


async def _page(pages: Mapping[str, Callable[[], Awaitable[Response]]], scope: Scope) -> Response:
    page = pages.get(scope["path"])
    if page is None:
        return ProblemResponse(Problem(404, "not-found", "There is nothing here"))
    if scope["method"] not in {"GET", "HEAD"}:
        return ProblemResponse(
            Problem(405, "method-not-allowed", "Only GET is possible here", headers={"Allow": "GET, HEAD"})
        )
    return await page()


def _answer(good: bool, members: dict[str, Any]) -> Response:
    return JSONResponse({"status": "ok" if good else "failed", **members}, status_code=200 if good else 503)
