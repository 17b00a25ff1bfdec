"""A child process with a process group and a log file of its own, which dies when its parent does."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None  # looked up before any fork
_PR_SET_PDEATHSIG = 1
_POLL_S = 0.02


class ProcessDied(RuntimeError):  # noqa: N818 - named for what happened
    """A process ended before it was ready; the message has the end of its log."""


class Child(Protocol):
    """What is needed of a `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...


spawn: Callable[..., Child] = subprocess.Popen
"""Starts a child. Tests may fork one instead, which saves the imports (`tests.stack.forked`)."""


class Process:
    """One child. `user` is the uid to run as, where we are root and the program refuses that."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: tuple[int, int] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self.env = dict(os.environ if env is None else env)
        self._command = [str(word) for word in command]
        self._cwd = cwd
        self._user = user
        self._stop_signal = stop_signal
        self._popen: Child | None = None

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._popen.poll() if self._popen else None

    def start(self, extra_env: Mapping[str, str] | None = None) -> None:
        """Spawn it. To be called on the main thread: Linux ties the child's life to the spawning thread."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        uid, gid = self._user or (None, None)
        with self.log.open("ab") as out:
            self._popen = spawn(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**self.env, **(extra_env or {})},
                cwd=self._cwd,
                user=uid,
                group=gid,
                extra_groups=None if uid is None else [],
                start_new_session=True,
                preexec_fn=tie_to(os.getpid(), self._death_signal),
            )

    async def until(self, ready: Callable[[], Awaitable[bool]], *, within: float) -> None:
        """Wait until `ready()`. Raises `ProcessDied` with the end of the log if that does not happen."""
        deadline = time.monotonic() + within
        while True:
            if not self.running:
                raise ProcessDied(f"{self.name} ended with exit code {self.exit_code}\n{self.tail()}")
            if await ready():
                return
            if time.monotonic() > deadline:
                raise ProcessDied(f"{self.name} was not ready after {within:.0f} s\n{self.tail()}")
            await asyncio.sleep(_POLL_S)

    async def wait(self, *, within: float) -> bool:
        """Return whether it ended within that many seconds."""
        deadline = time.monotonic() + within
        while self.running and time.monotonic() < deadline:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(_POLL_S)
        return not self.running

    async def stop(self, *, grace: float = 8) -> None:
        """Ask it to end; after `grace` seconds, end it."""
        self.send(self._stop_signal)
        if not await self.wait(within=grace):
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL for the whole group, and wait until it is gone."""
        self.send(signal.SIGKILL)
        await self.wait(within=5)

    def kill_now(self) -> None:
        """Kill it without an event loop, for the way out of a crash."""
        self.send(signal.SIGKILL)
        if self._popen is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(timeout=5)

    def send(self, what: signal.Signals) -> None:
        """Signal the group; nothing if it has ended."""
        if self._popen is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, what)

    def tail(self) -> str:
        """Return the end of its log, each line with its name."""
        return last_lines(self.log, self.name)

    @property
    def _death_signal(self) -> signal.Signals:
        return signal.SIGQUIT if self._stop_signal == signal.SIGINT else signal.SIGKILL


def last_lines(log: Path, name: str, count: int = 20) -> str:
    """Return the end of a log, each line with the name of who wrote it."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(f"{name} | {line}" for line in text.splitlines()[-count:])


def tie_to(parent: int, death_signal: signal.Signals) -> Callable[[], None]:
    """Return what the child does between fork and exec, so that a killed parent leaves no child."""

    def tie() -> None:
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:
                os._exit(1)

    return tie
