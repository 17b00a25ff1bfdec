"""What arrives over a socket and is no proper request is refused, and the server lives."""

import pytest
from starlette.types import Receive, Scope, Send

from chassis.web.server import HttpServer
from tests.integration.chassis_http.conftest import Service
from tests.integration.chassis_http.wire import HEAD, exchange, statuses, still_serves


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GARBAGE\r\n\r\n",
        b"\x00" * 1000,
        b"\r\n" * 1000 + b"x",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        HEAD + b"Bad Header: x\r\n\r\n",
        HEAD + b"X: a\x00b\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzzz\r\n",
        b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_the_server_lives(service: Service, request_bytes: bytes) -> None:
    said = await exchange(service.port, [request_bytes])

    assert all(400 <= status < 500 for status in statuses(said))
    assert await still_serves(service)


async def test_the_refusal_of_garbage_is_a_problem(service: Service) -> None:
    said = await exchange(service.port, [b"GARBAGE\r\n\r\n"])

    assert statuses(said) == [400]
    assert b"/problems/malformed-request" in said


@pytest.mark.parametrize(
    "hosts",
    [
        b"",
        b"Host: x\r\nHost: x\r\n",
        b"Host: x\r\nhOsT: evil.example\r\n",
        b"Host:\r\n",
        b"Host: a b\r\n",
        b"Host: x/y\r\n",
        b"Host: user@x\r\n",
        b"Host: x:port\r\n",
        b"Host: x, y\r\nHost: z\r\n",
        "Host: é\r\n".encode(),
    ],
)
async def test_a_request_names_exactly_one_host(service: Service, hosts: bytes) -> None:
    said = await exchange(service.port, [b"GET /v1/orders HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n"])

    assert statuses(said) == [400]
    assert b"/problems/invalid-host" in said


@pytest.mark.parametrize("host", [b"x", b"billing.example.com:443", b"[::1]:8000", b"127.0.0.1", b"x_y.svc.local."])
async def test_whatever_may_be_a_host_is_one(service: Service, host: bytes) -> None:
    request = b"GET /v1/orders HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"

    assert statuses(await exchange(service.port, [request])) == [200]


async def test_an_old_probe_may_leave_the_host_out_and_not_double_it(service: Service) -> None:
    """HTTP/1.0 knows no Host."""
    without = await exchange(service.port, [b"GET /v1/orders HTTP/1.0\r\n\r\n"])
    doubled = await exchange(service.port, [b"GET /v1/orders HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n"])

    assert (statuses(without), statuses(doubled)) == ([200], [400])


async def test_what_the_server_refuses_itself_carries_what_every_answer_does(service: Service) -> None:
    for request in (b"GARBAGE\r\n\r\n", HEAD + b"X-Big: " + b"a" * 100_000 + b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
        said = (await exchange(service.port, [request])).lower()
        for header in (b"nosniff", b"no-store", b"strict-transport-security: max-age=", b"default-src 'none'"):
            assert header in said, request[:30]


async def test_an_app_that_fails_before_its_answer_is_500_with_what_every_answer_carries() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("password=hunter2")

    async with HttpServer(fails, "127.0.0.1", 0, name="test", graceful_seconds=1) as server:
        said = await exchange(server.port, [HEAD + b"Connection: close\r\n\r\n"])

    assert statuses(said) == [500]
    assert b"/problems/internal-error" in said
    assert b"nosniff" in said
    assert b"hunter2" not in said


async def test_an_upgrade_that_we_do_not_speak_is_an_ordinary_request(service: Service) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"

    said = await exchange(service.port, [HEAD + upgrade])

    assert statuses(said) == [200]
    assert await still_serves(service)
