"""A producer that is replaced by a new one when a final error has spoiled its numbering."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

from chassis.kafka import Producer
from chassis.logs import get_logger

log = get_logger(__name__)

PAUSE_SECONDS: Final = 1.0
"""Between two replacements: an error that comes back at once must not make a storm of connections."""


class RenewingProducer:
    """Sends through the current producer; `renew` puts a fresh one in its place without a request waiting for it."""

    def __init__(self, make: Callable[[], Producer]) -> None:
        self._make = make
        self._current = make()
        self._renewal: asyncio.Task[None] | None = None
        self._not_before = 0.0

    async def __aenter__(self) -> Self:
        await self._current.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._renewal:
            await self._renewal
        await self._current.stop()

    @property
    def connected(self) -> bool:
        """Whether the current producer has met its broker."""
        return self._current.connected

    async def send(
        self, *, topic: str, key: str, headers: Sequence[tuple[str, bytes]], value: bytes
    ) -> "asyncio.Future[Any]":
        """As `chassis.kafka.Producer.send`."""
        return await self._current.send(topic=topic, key=key, headers=headers, value=value)

    def renew(self) -> None:
        """Start a replacement unless one is under way or has just been made."""
        now = time.monotonic()
        if now < self._not_before or (self._renewal is not None and not self._renewal.done()):
            return
        log.error("kafka_producer_renewed", reason="a final error left a hole in its numbering")
        self._not_before = now + PAUSE_SECONDS
        self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        spoiled, fresh = self._current, self._make()
        await fresh.__aenter__()
        self._current = fresh
        await spoiled.stop()
