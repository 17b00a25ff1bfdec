"""A load generator in a process of its own: HTTP/1.1 over connections that stay open, requests made beforehand.

`python -m tests.bench.load` reads a Plan as JSON from standard input and writes what came of it to standard output.
Only for this machine's own servers: it connects to the loopback interface and nowhere else.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Final, cast

import uvloop

LOOPBACK: Final = "127.0.0.1"
PATIENCE_SECONDS: Final = 20.0
"""How long the last answers may take."""
LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send. Without a rate each connection sends again as soon as it has its answer."""

    port: int
    connections: int
    requests: list[str]
    """Whole requests, sent in turn; with a rate, each once."""
    seconds: float = 0.0
    rate: float | None = None
    """Requests a second, sent when they are due, whoever is still waiting."""


@dataclass(slots=True, kw_only=True)
class Answers:
    """What came back."""

    statuses: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    """Requests that got no answer."""
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    """Of each answer; with a rate, counted from when the request was due."""
    due_at: list[float] = field(default_factory=list)
    """With a rate: the Unix time at which each request was due, in the order of `requests`."""

    @property
    def per_second(self) -> float:
        return sum(self.statuses.values()) / self.seconds


class Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._buffer = b""
        self._since = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one, but does not say so

    def send(self, request: bytes, since: float) -> None:
        """Its answer is timed from `since`."""
        self._since = since
        self.waiting = True
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = LENGTH.search(head)
        if len(body) < (int(length[1]) if length else 0):
            return
        self._buffer = b""
        self.waiting = False
        self._run.answered(self, head[9:12].decode(), time.perf_counter() - self._since)

    def connection_lost(self, _: Exception | None) -> None:
        if self.waiting:
            self.waiting = False
            self._run.lost()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Run:
    """Carries one Plan out."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = [request.encode() for request in plan.requests]
        self._turn = 0
        self._until = 0.0
        self._statuses: Counter[str] = Counter()
        self._answers = Answers()
        self._idle: deque[Connection] = deque()
        self._due: deque[tuple[bytes, float]] = deque()
        self._open = 0
        """Connections that are still at work; with a rate, requests that are not done."""
        self._done = asyncio.Event()

    async def carry_out(self) -> Answers:
        """Connect, send, wait for the last answer, in bounded time."""
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(lambda: Connection(self), LOOPBACK, self._plan.port))[1]
            for _ in range(self._plan.connections)
        ]
        began = time.perf_counter()
        self._begin(connections, began)
        expected = len(self._requests) / self._plan.rate if self._plan.rate else self._plan.seconds
        async with asyncio.timeout(expected + PATIENCE_SECONDS):
            await self._done.wait()
        self._answers.seconds = time.perf_counter() - began
        self._answers.statuses = dict(self._statuses)
        for connection in connections:
            connection.close()
        return self._answers

    def answered(self, connection: Connection, status: str, seconds: float) -> None:
        self._statuses[status] += 1
        self._answers.milliseconds.append(seconds * 1000)
        self._go_on(connection)

    def lost(self) -> None:
        self._answers.lost += 1
        self._one_less()

    def _begin(self, connections: list[Connection], began: float) -> None:
        if self._plan.rate is None:
            self._until = began + self._plan.seconds
            self._open = len(connections)
            for connection in connections:
                self._send_next(connection)
            return
        self._open = len(self._requests)
        self._idle.extend(connections)
        loop, now, wall = asyncio.get_running_loop(), time.perf_counter(), time.time()
        for number, request in enumerate(self._requests):
            after = 0.05 + number / self._plan.rate
            self._answers.due_at.append(wall + after)
            loop.call_later(after, self._is_due, request, now + after)

    def _send_next(self, connection: Connection) -> None:
        request = self._requests[self._turn % len(self._requests)]
        self._turn += 1
        connection.send(request, time.perf_counter())

    def _is_due(self, request: bytes, since: float) -> None:
        if self._idle:
            self._idle.popleft().send(request, since)
        else:
            self._due.append((request, since))

    def _go_on(self, connection: Connection) -> None:
        if self._plan.rate is None:
            if time.perf_counter() < self._until:
                self._send_next(connection)
            else:
                self._one_less()
            return
        if self._due:
            connection.send(*self._due.popleft())
        else:
            self._idle.append(connection)
        self._one_less()

    def _one_less(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._done.set()


async def _main() -> None:
    argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__).parse_args()
    plan = Plan(**json.loads(sys.stdin.buffer.read()))
    json.dump(asdict(await Run(plan).carry_out()), sys.stdout)


if __name__ == "__main__":
    uvloop.run(_main())
