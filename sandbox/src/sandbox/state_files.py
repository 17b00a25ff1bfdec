"""The files that tell, between two commands, what runs: one directory per checkout."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.description import Description, read
from sandbox.record import Record, read_record


@dataclass(frozen=True)
class StateFiles:
    """`stack.json` is there only while the stack is whole; the lock is held by its supervisor."""

    directory: Path

    @property
    def stack(self) -> Path:
        return self.directory / "stack.json"

    @property
    def processes(self) -> Path:
        return self.directory / "processes.json"

    @property
    def supervisor_log(self) -> Path:
        return self.directory / "logs" / "supervisor.log"

    def description(self) -> Description | None:
        return read(self.stack)

    def record(self) -> Record:
        return read_record(self.processes)

    @contextlib.contextmanager
    def lock(self) -> Iterator[bool]:
        """Whether it could be had; held until the block, or the process, ends."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def forget(self) -> None:
        """Nothing runs any more. Logs stay, to be read."""
        self.stack.unlink(missing_ok=True)
        self.processes.unlink(missing_ok=True)
        shutil.rmtree(self.directory / "data", ignore_errors=True)

    def make_room(self) -> None:
        """For a new stack: the logs of the last one go, too."""
        self.forget()
        shutil.rmtree(self.directory / "logs", ignore_errors=True)
        self.supervisor_log.parent.mkdir(parents=True, exist_ok=True)
