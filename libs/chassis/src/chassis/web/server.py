"""The HTTP server: uvicorn on httptools, with the bounds on a request's head that it lacks."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any, Final, Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chassis.problems import MEDIA_TYPE, Problem, encode
from chassis.process.health import Health, ops_app
from chassis.process.process import background
from chassis.process.settings import ServiceSettings
from chassis.web.every_answer import EveryAnswer, headers_for

MAX_HEAD: Final = 32 * 1024
HEAD_SECONDS: Final = 15.0
LINGER_SECONDS: Final = 3.0
GRACEFUL_SECONDS: Final = 10
START_SECONDS: Final = 10.0

OPS_GRACEFUL_SECONDS: Final = 1
"""For what asks the operations port: probes and scrapes."""

HEADERS_TOO_LARGE: Final = Problem(431, "headers-too-large", "The request's headers are too large")
MALFORMED: Final = Problem(400, "malformed-request", "This is not HTTP")


class BoundedProtocol(HttpToolsProtocol):
    """httptools has no limit on headers, uvicorn no timeout for them: here a head has MAX_HEAD bytes and HEAD_SECONDS.

    Bytes are counted as they arrive, because httptools shows a header only once it is complete.
    """

    max_head = MAX_HEAD
    head_seconds = HEAD_SECONDS
    linger_seconds = LINGER_SECONDS
    protected = True
    _refused = False
    _in_head = True
    _quiet = 0
    """Bytes since the last sign of progress: the head so far, or trailers and chunk extensions behind a body."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a connection that never sends a request is closed."""
        super().connection_made(transport)
        self._close_after(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser unless the client has been refused."""
        if self._refused:
            return
        self._quiet += len(data)
        super().data_received(data)
        if self._quiet > self.max_head:
            self._refuse(HEADERS_TOO_LARGE)
        elif self._in_head and self._timer is None and self._unwatched():
            self._close_after(self.head_seconds)

    def on_message_begin(self) -> None:
        """Note that a new head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the head is complete; only now does its request start."""
        if self._refused:
            return
        self._in_head = False
        self._quiet = 0
        self._stop_timer()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.max_head:
            self._refuse(HEADERS_TOO_LARGE)
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Progress."""
        self._quiet = 0
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect another head."""
        if self._refused:
            return
        self._quiet = 0
        self._in_head = True
        self._stop_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Whoever goes on sending a body that was answered already, as with 413, may do so for LINGER_SECONDS."""
        super().on_response_complete()
        if not self._in_head and self.cycle.response_complete:
            self._close_after(self.linger_seconds)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, not ours
        """Answer bytes that are no HTTP, as uvicorn asks."""
        self._refuse(MALFORMED)

    def _unwatched(self) -> bool:
        """Return whether a head has begun, or the connection idles without uvicorn's keep-alive timer."""
        idle = self.cycle is None or self.cycle.response_complete
        return bool(self._quiet) or (idle and self.timeout_keep_alive_task is None)

    def _close_after(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self._timer = None
        self._refused = True
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, problem: Problem) -> None:
        if self._refused:
            return
        self._refused = True
        self._quiet = 0
        # While an earlier request of this connection is being answered, ours would land in the middle of that.
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()
            return
        self.transport.write(_raw(problem, protected=self.protected))
        # Closed at once, bytes still on their way would make the kernel reset the connection and drop our answer.
        self.transport.write_eof()
        self._close_after(self.linger_seconds)


class UnprotectedProtocol(BoundedProtocol):
    """The same for development, where browsers are not to insist on TLS."""

    protected = False


def _raw(problem: Problem, *, protected: bool) -> bytes:
    body = encode(problem.members())
    own = ((b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body)), (b"connection", b"close"))
    head = b"".join(b"%s: %s\r\n" % pair for pair in (*own, *headers_for(protected=protected)))
    return STATUS_LINE[problem.status] + head + b"\r\n" + body


class _Server(uvicorn.Server):
    """uvicorn without signal handlers, since the process has its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.ended = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves `app` while its block is open; afterwards running requests get GRACEFUL_SECONDS.

    Every answer goes through `EveryAnswer`; `protected` is whether the deployment may hold real money, and so says
    `Strict-Transport-Security`. The app's lifespan is not run: what a service needs is constructed in its `main`.
    Port 0 picks a free one.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        name: str = "http",
        protected: bool = True,
        graceful_seconds: int = GRACEFUL_SECONDS,
    ) -> None:
        self._app = EveryAnswer(app, protected=protected)
        self._protocol = BoundedProtocol if protected else UnprotectedProtocol
        self._host = host
        self._port = port
        self._name = name
        self._graceful = graceful_seconds
        self._stack = AsyncExitStack()

    @property
    def port(self) -> int:
        """The port listened on."""
        return self._port

    async def __aenter__(self) -> Self:
        """Listen. Raises OSError when the port is taken."""
        listener = _listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        async with AsyncExitStack() as stack:
            server = _Server(self._config())
            await stack.enter_async_context(background(self._name, lambda: _serve(server, listener), restarts=0))
            stack.push_async_callback(self._leave, server)
            async with asyncio.timeout(START_SECONDS):
                await server.listening.wait()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and let running requests end, in bounded time."""
        await self._stack.aclose()

    async def _leave(self, server: _Server) -> None:
        server.should_exit = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self._graceful + 5):
                await server.ended.wait()
                # Requests that were cut off at the end of their grace still say so to whoever waits.
                while server.server_state.tasks:  # noqa: ASYNC110 - uvicorn's own set
                    await asyncio.sleep(0.01)

    def _config(self) -> uvicorn.Config:
        options: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False, "lifespan": "off"}
        return uvicorn.Config(
            self._app,
            http=self._protocol,
            ws="none",
            timeout_keep_alive=75,
            proxy_headers=False,  # nothing here goes by the sender's address, and reading them costs each request
            timeout_graceful_shutdown=self._graceful,
            **options,
        )


def ops_server(health: Health, settings: ServiceSettings) -> HttpServer:
    """Return the server of `/livez`, `/readyz` and `/metrics`, which each process has."""
    host, port, graceful = settings.http_host, settings.ops_port, OPS_GRACEFUL_SECONDS
    return HttpServer(ops_app(health), host, port, name="ops", protected=settings.protected, graceful_seconds=graceful)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


async def _serve(server: _Server, listener: socket.socket) -> None:
    try:
        await server.serve(sockets=[listener])
    finally:
        listener.close()
        server.ended.set()
