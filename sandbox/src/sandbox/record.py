"""Which processes a stack has started, on disk, so that `down` ends these and no others, whoever died in between."""

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from sandbox.description import write_privately

_CLOCK_SLACK_S = 2.0


@dataclass(frozen=True)
class Known:
    """A process as it was when we started it: a pid alone may have gone to somebody else since."""

    name: str
    pid: int
    created: float

    def alive(self) -> bool:
        """Return whether it still runs, and is still the one that we started."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _CLOCK_SLACK_S
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        return False

    def send(self, what: signal.Signals) -> None:
        """Signal its group; nothing if it is not ours any more."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, what)


def known(name: str, pid: int) -> Known | None:
    """None if it has ended already."""
    with contextlib.suppress(psutil.Error):
        return Known(name, pid, psutil.Process(pid).create_time())
    return None


@dataclass(frozen=True)
class Record:
    """The supervisor, what it started, and the directories that go with them."""

    supervisor: Known | None = None
    processes: tuple[Known, ...] = ()
    directories: tuple[Path, ...] = ()

    def everybody(self) -> tuple[Known, ...]:
        return (*([self.supervisor] if self.supervisor else []), *self.processes)

    def write(self, path: Path) -> None:
        data = {
            "supervisor": vars(self.supervisor) if self.supervisor else None,
            "processes": [vars(process) for process in self.processes],
            "directories": [str(directory) for directory in self.directories],
        }
        write_privately(path, json.dumps(data, indent=2))

    def remove_directories(self) -> None:
        for directory in self.directories:
            shutil.rmtree(directory, ignore_errors=True)


def record_of(pids: Mapping[str, int], directories: Iterable[Path]) -> Record:
    """Return what this process, as the supervisor, has started."""
    found = (known(name, pid) for name, pid in pids.items())
    return Record(known("supervisor", os.getpid()), tuple(filter(None, found)), tuple(directories))


def read_record(path: Path) -> Record:
    """Empty where there is none that we can read."""
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        supervisor = Known(**data["supervisor"]) if data["supervisor"] else None
        processes = tuple(Known(**entry) for entry in data["processes"])
        return Record(supervisor, processes, tuple(Path(entry) for entry in data["directories"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Record()
