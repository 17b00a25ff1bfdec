"""Hands each request to the service of its path and the answer back, both as they are, piece by piece."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.front.pages import STYLE_PATH, out_of_reach, stylesheet
from sandbox.front.routes import HOME, NOWHERE, service_for

METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_OF_ONE_CONNECTION: Final = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split()
)
_OURS: Final = frozenset({b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"})
_TIMEOUTS: Final = {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 5.0}
Headers = list[tuple[bytes, bytes]]


def application(services: Mapping[str, str]) -> Starlette:
    """Build the front; `services` are base URLs by name."""
    transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1_000), trust_env=False)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with transport:
            yield

    async def home(_request: Request) -> Response:
        return RedirectResponse(HOME, status_code=303)

    async def forward(request: Request) -> Response:
        target = httpx.URL("http://front").copy_with(raw_path=_raw_path(request))
        name = service_for(target.path)
        if name is None:
            target, name = target.copy_with(raw_path=NOWHERE.encode()), service_for(NOWHERE)
        return await _forwarded(request, target.copy_with(**_host_of(services[str(name)])), transport)

    async def style(_request: Request) -> Response:
        return stylesheet()

    routes = [Route("/", home), Route(STYLE_PATH, style), Route("/{path:path}", forward, methods=METHODS)]
    return Starlette(routes=routes, lifespan=lifespan)


async def _forwarded(request: Request, url: httpx.URL, transport: httpx.AsyncHTTPTransport) -> Response:
    asked = httpx.Request(
        request.method,
        url,
        headers=_request_headers(request),
        content=request.stream() if _has_body(request) else None,
        extensions={"timeout": _TIMEOUTS},
    )
    try:
        answer = await transport.handle_async_request(asked)
    except httpx.TransportError as error:
        return out_of_reach(request.method, error)
    response = StreamingResponse(_body(answer), status_code=answer.status_code)
    response.raw_headers = _passed_on(answer.headers.raw)
    return response


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def _raw_path(request: Request) -> bytes:
    """As it was sent, percent signs and all."""
    raw, query = request.scope["raw_path"], request.scope["query_string"]
    return bytes(raw + b"?" + query if query else raw)


def _host_of(base_url: str) -> dict[str, str | int | None]:
    url = httpx.URL(base_url)
    return {"scheme": url.scheme, "host": url.host, "port": url.port}


def _has_body(request: Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


def _request_headers(request: Request) -> Headers:
    """Return the browser's headers, its Host among them, and how it came here."""
    client = request.client.host if request.client else "unknown"
    came = {"For": client, "Proto": request.url.scheme, "Host": request.headers.get("host", "")}
    kept = [pair for pair in _passed_on(request.headers.raw) if pair[0] not in _OURS]
    return kept + [(f"X-Forwarded-{name}".encode(), value.encode()) for name, value in came.items()]


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Without what concerns one connection only (RFC 9110, 7.6.1)."""
    pairs = [(name.lower(), value) for name, value in headers]
    named = {word.strip().lower() for name, value in pairs if name == b"connection" for word in value.split(b",")}
    return [(name, value) for name, value in pairs if name not in _OF_ONE_CONNECTION | named]
