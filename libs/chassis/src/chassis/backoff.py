"""Back-off with jitter: longer and longer waits, never in step with the other processes."""

import asyncio
import random


class Backoff:
    """Waits of `first`, twice that, … up to `limit` seconds, each shortened at random by up to half."""

    def __init__(self, *, first: float, limit: float) -> None:
        self._first = first
        self._limit = limit
        self._next = first

    def delay(self) -> float:
        """Return the next wait, in seconds."""
        seconds = self._next * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self._next = min(self._next * 2, self._limit)
        return seconds

    async def sleep(self) -> None:
        """Wait that long."""
        await asyncio.sleep(self.delay())

    def reset(self) -> None:
        """Start again with the first wait."""
        self._next = self._first
