"""Starts our programs by forking a process that has imported them already (`tests.stack.forking`)."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from sandbox.process import Child, tie_to
from tests.stack.forking import PROGRAMS

_POLL_SECONDS: Final = 0.01


class Forked:
    """What `sandbox.process` needs of a `subprocess.Popen`."""

    def __init__(self, pid: int, ended: Path, forker: "subprocess.Popen[str]") -> None:
        self.pid = pid
        self._ended = ended
        self._forker = forker
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return its exit status, negative for a signal, and None while it runs."""
        if self._code is None and self._ended.exists():
            self._code = int(self._ended.read_text())
            self._ended.unlink()  # its number may be given to another one
        if self._code is None and self._forker.poll() is not None:
            self._code = -signal.SIGKILL  # what was forked ends with the forker, and nobody notes how
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises TimeoutExpired."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(_POLL_SECONDS)
        return code


class _Forker:
    """The process that forks, which ends with this one."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="quittance-forked-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stack.forking", self._directory.name],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=tie_to(os.getpid(), signal.SIGKILL),
            text=True,
        )

    def fork(self, **wanted: Any) -> Forked:
        """Have a process forked. Raises what ended the forker where it is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        pid = self._process.stdout.readline().strip()
        if not pid:
            raise RuntimeError(f"the process that forks has ended: {self._process.wait()}")
        return Forked(int(pid), Path(self._directory.name, pid), self._process)

    def close(self) -> None:
        """End it; what it forked ends with it."""
        self._process.communicate()
        self._directory.cleanup()


@cache
def _forker() -> _Forker:
    return _Forker()


def close() -> None:
    """End the process that forks, if there is one."""
    if _forker.cache_info().currsize:
        _forker().close()


def spawn(command: Sequence[str], **options: Any) -> Child:
    """Fork a program of ours of this version; start anything else, as `subprocess.Popen` does.

    Also what has a library loaded before its own: that works at the start of a program only.
    """
    env, log, cwd = options["env"], options["stdout"], options["cwd"]
    is_ours = list(command[:2]) == [sys.executable, "-m"] and command[2] in PROGRAMS
    if not is_ours or env.get("PYTHONPATH") != os.environ.get("PYTHONPATH") or "LD_PRELOAD" in env:
        return subprocess.Popen(command, **options)
    return _forker().fork(words=command[2:], env=env, log=log.name, cwd=str(cwd) if cwd else "")
