"""The Services of a namespace as listeners on loopback: each request goes to an endpoint that is ready, and only once.

A request is never sent a second time: a listener that closes too soon, or an endpoint that is named too long, is a 502.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ports import KEEP_ALIVE_SECONDS, LOOPBACK
from tests.cluster.api.cluster import Cluster, Object
from tests.cluster.nodes.processes import Network

LAG_SECONDS: Final = 1.5
"""How much later than the API a node knows of an endpoint: kube-proxy gathers changes for up to a second."""
KNOWN_WITHIN_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.25
_OF_ONE_CONNECTION: Final = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"host", b"content-length"})
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Balancer:
    """`ports` are where each Service listens here; `served` counts answers by Service, address and status."""

    def __init__(self, cluster: Cluster, namespace: str, ports: Mapping[str, int]) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._ports = ports
        self._endpoints: dict[str, list[str]] = {}
        self._turns: Iterator[int] = itertools.count()
        self.served: Counter[tuple[str, str, int]] = Counter()
        self._out = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0, max_connections=500))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen, and follow the endpoints, until the block ends."""
        servers = [self._server(service, port) for service, port in self._ports.items()]
        async with asyncio.TaskGroup() as tasks, self._out:
            following = tasks.create_task(self._follow())
            for server in servers:
                tasks.create_task(server.serve())
            try:
                yield
            finally:
                following.cancel()
                for server in servers:
                    server.should_exit = True

    async def knows_all(self) -> None:
        """Wait until each Service has an endpoint here, too: LAG_SECONDS after the API. Raises TimeoutError."""
        async with asyncio.timeout(KNOWN_WITHIN_SECONDS):
            while not all(self._endpoints.get(service) for service in self._ports):  # noqa: ASYNC110 - it is polled
                await asyncio.sleep(_POLL_SECONDS)

    def _server(self, service: str, port: int) -> uvicorn.Server:
        async def forward(request: Request) -> Response:
            return await self._forward(service, request)

        app = Starlette(routes=[Route("/{path:path}", forward, methods=_METHODS)])
        config = uvicorn.Config(
            app, host=LOOPBACK, port=port, log_level="warning", timeout_keep_alive=KEEP_ALIVE_SECONDS, lifespan="off"
        )
        config.server_header = config.date_header = False
        server = uvicorn.Server(config)
        server.capture_signals = _no_signals  # type: ignore[method-assign]  # they are the test run's
        return server

    async def _forward(self, service: str, request: Request) -> Response:
        ready = self._endpoints.get(service, [])
        if not ready:
            return self._failed(service, "nobody", "no endpoint is ready")
        endpoint = ready[next(self._turns) % len(ready)]
        url = httpx.URL(f"http://{endpoint}").copy_with(raw_path=_raw_path(request))
        headers = [pair for pair in request.headers.raw if pair[0] not in _OF_ONE_CONNECTION]
        headers += [(b"host", request.headers["host"].encode()), (b"connection", b"close")]
        body = await request.body()
        outgoing = httpx.Request(request.method, url, headers=headers, content=body, extensions=_TIMEOUT)
        try:
            answer = await self._out.handle_async_request(outgoing)
            content = b"".join([part async for part in answer.aiter_raw()])
        except httpx.TransportError as error:
            return self._failed(service, endpoint, repr(error))
        self.served[service, endpoint, answer.status_code] += 1
        return _passed_on(answer, content)

    def _failed(self, service: str, endpoint: str, why: str) -> Response:
        self.served[service, endpoint, 502] += 1
        return Response(f"{service}: {endpoint}: {why}", status_code=502)

    async def _follow(self) -> None:
        """Take over what the API said LAG_SECONDS ago."""
        known: list[tuple[float, dict[str, list[str]]]] = []
        path = f"/apis/discovery.k8s.io/v1/namespaces/{self._namespace}/endpointslices"
        while True:
            known.append((time.monotonic(), _endpoints(await self._cluster.items(path))))
            while known and known[0][0] <= time.monotonic() - LAG_SECONDS:
                self._endpoints = known.pop(0)[1]
            await asyncio.sleep(_POLL_SECONDS)


_TIMEOUT: Final = {"timeout": {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 5.0}}


def _endpoints(slices: list[Object]) -> dict[str, list[str]]:
    """Return `host:port` of what is ready, by Service; where nothing is, of what still serves while it ends."""
    ready: dict[str, list[str]] = {}
    ending: dict[str, list[str]] = {}
    for found in slices:
        service = found["metadata"]["labels"]["kubernetes.io/service-name"]
        for endpoint in found.get("endpoints") or []:
            state = endpoint.get("conditions", {})
            where = [f"{Network.here(endpoint['addresses'][0])}:{port['port']}" for port in found["ports"]]
            if state.get("ready"):
                ready.setdefault(service, []).extend(where)
            elif state.get("serving") and state.get("terminating"):
                ending.setdefault(service, []).extend(where)
    return ending | ready


def _passed_on(answer: httpx.Response, content: bytes) -> Response:
    response = Response(content, status_code=answer.status_code)
    kept = [pair for pair in answer.headers.raw if pair[0].lower() not in _OF_ONE_CONNECTION]
    response.raw_headers = [*kept, (b"content-length", str(len(content)).encode())]
    return response


def _raw_path(request: Request) -> bytes:
    query = request.scope["query_string"]
    path: bytes = request.scope["raw_path"]
    return path + b"?" + query if query else path


@contextmanager
def _no_signals() -> Iterator[None]:
    yield
