"""What arrives over a socket and is no proper request: refused, in bounded memory and time, and the server lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from chassis.web import server as server_module
from chassis.web.limits import BodyLimits
from chassis.web.problem_handlers import UnexpectedErrors
from chassis.web.server import MAX_HEAD, BoundedProtocol, HttpServer
from tests.integration.chassis_http.conftest import Service
from tests.integration.chassis_http.wire import HEAD, cut_off, exchange, statuses, still_serves


async def test_a_header_of_100_kb_is_431(service: Service) -> None:
    said = await exchange(service.port, [HEAD + b"X-Big: " + b"a" * 100_000 + b"\r\n\r\n"])

    assert statuses(said) == [431]
    assert b"application/problem+json" in said
    assert b"/problems/headers-too-large" in said
    assert await still_serves(service)


async def test_many_small_headers_are_431_too(service: Service) -> None:
    headers = b"".join(b"X-%d: a\r\n" % number for number in range(10_000))

    assert statuses(await exchange(service.port, [HEAD + headers + b"\r\n"])) == [431]


async def test_a_target_of_100_kb_is_431_too(service: Service) -> None:
    request = b"GET /v1/orders?q=" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"

    assert statuses(await exchange(service.port, [request])) == [431]


async def test_a_header_that_never_ends_is_refused_at_the_limit(service: Service) -> None:
    """Not when it is complete: it never is."""
    assert await cut_off(service.port, HEAD + b"X-Big: ", b"a" * 8192)
    assert await still_serves(service)


async def test_a_refused_connection_is_closed_even_if_the_client_keeps_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedProtocol, "linger_seconds", 0.1)
    before = open_connections(service)
    _, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(HEAD + b"X-Big: " + b"a" * 40_000 + b"\r\n\r\n")

    await asyncio.sleep(0.05)
    lingering = open_connections(service)
    await asyncio.sleep(0.5)
    closed = open_connections(service)
    writer.close()

    assert (lingering - before, closed - before) == (1, 0)


def open_connections(service: Service) -> int:
    """Those that the server still holds a descriptor of, as the kernel lists them."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening, no_inode = "0A", "0"
    mine = [line for line in lines if line[1].endswith(f":{service.port:04X}") and line[3] != listening]
    return sum(line[9] != no_inode for line in mine)


@pytest.mark.parametrize("attempt", range(20))
async def test_the_refusal_reaches_a_client_that_is_still_sending(service: Service, attempt: int) -> None:
    """A connection closed too early is reset, and the client would never learn why."""
    answer = await service.client.get("/v1/orders", headers={"X-Big": "a" * 1_000_000})

    assert answer.status_code == 431


async def test_a_head_just_under_the_limit_is_served(service: Service) -> None:
    head = HEAD + b"X-Big: "

    said = await exchange(service.port, [head + b"a" * (MAX_HEAD - len(head) - 100) + b"\r\nConnection: close\r\n\r\n"])

    assert statuses(said) == [200]


async def test_a_head_in_single_bytes_is_served(service: Service) -> None:
    request = HEAD + b"Connection: close\r\n\r\n"

    assert statuses(await exchange(service.port, [bytes([byte]) for byte in request], pause=0.001)) == [200]


async def test_the_limit_is_for_each_request_of_a_connection(service: Service) -> None:
    request = HEAD + b"X-Big: " + b"a" * 20_000 + b"\r\n\r\n"

    said = await exchange(service.port, [request] * 5, pause=0.05)

    assert statuses(said) == [200] * 5


async def test_pipelined_requests_are_all_answered(service: Service) -> None:
    said = await exchange(service.port, [(HEAD + b"\r\n") * 20])

    assert statuses(said) == [200] * 20


async def test_a_large_body_is_no_large_head(service: Service) -> None:
    body = b'{"name":"a","count":1}'.rjust(200_000)
    head = b"POST /v1/orders/o1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"

    whole = await exchange(service.port, [head + b"Content-Length: %d\r\n\r\n" % len(body) + body])
    chunks = b"".join(b"%x\r\n%s\r\n" % (1000, body[at : at + 1000]) for at in range(0, len(body), 1000))
    chunked = await exchange(service.port, [head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"])

    assert (statuses(whole), statuses(chunked)) == ([200], [200])


async def test_trailers_without_end_are_cut_off(service: Service) -> None:
    """They come behind the body, where a check of the head alone does not look."""
    head = b"POST /v1/orders/o1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: "

    assert await cut_off(service.port, head, b"a" * 8192)
    assert await still_serves(service)


async def test_a_refused_body_may_not_be_sent_for_ever(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "linger_seconds", 0.2)
    head = b"POST /v1/orders/o1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

    assert await cut_off(service.port, head % 10**12, b" " * 8192)
    assert await still_serves(service)


async def test_a_body_that_comes_after_its_answer_does_not_leave_the_connection_open(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
    await asyncio.sleep(0.05)
    writer.write(b"hello")

    async with asyncio.timeout(2):
        assert statuses(await reader.read()) == [404]
    writer.close()


@asynccontextmanager
async def a_server(monkeypatch: pytest.MonkeyPatch, *, head_seconds: float = 15) -> AsyncIterator[HttpServer]:
    async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await PlainTextResponse("ok")(scope, receive, send)

    monkeypatch.setattr(BoundedProtocol, "head_seconds", head_seconds)
    app = UnexpectedErrors(BodyLimits(reads_all, seconds=0.2))
    async with HttpServer(app, "127.0.0.1", 0, name="test", graceful_seconds=1) as server:
        yield server


@pytest.mark.parametrize("begun", [b"", b"GET / HTT", HEAD])
async def test_a_head_that_takes_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    async with a_server(monkeypatch, head_seconds=0.2) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(begun)

        async with asyncio.timeout(1):
            assert await reader.read() == b""
        writer.close()


async def test_a_second_head_that_takes_too_long_is_cut_off_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_server(monkeypatch, head_seconds=0.2) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.write(b"GET / HTT")

        async with asyncio.timeout(1):
            assert statuses(await reader.read()) == [200]
        writer.close()


async def test_a_body_that_does_not_arrive_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_server(monkeypatch) as server:
        said = await exchange(server.port, [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"])

    assert statuses(said) == [408]
    assert b"/problems/request-timeout" in said
    assert b"connection: close" in said.lower()


async def test_a_running_request_is_answered_before_the_server_stops() -> None:
    began = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        began.set()
        await asyncio.sleep(0.3)
        await PlainTextResponse("done")(scope, receive, send)

    async with httpx.AsyncClient() as client:
        async with HttpServer(slow, "127.0.0.1", 0, name="test", graceful_seconds=2) as server:
            asking = asyncio.create_task(client.get(f"http://127.0.0.1:{server.port}/"))
            await began.wait()

        assert (await asking).text == "done"
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{server.port}/")


async def test_a_request_that_hangs_does_not_keep_the_server_from_stopping() -> None:
    began = asyncio.Event()

    async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
        began.set()
        await asyncio.sleep(60)

    async with asyncio.timeout(5):
        async with HttpServer(hangs, "127.0.0.1", 0, name="test", graceful_seconds=1) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(HEAD + b"\r\n")
            await began.wait()
        writer.close()


async def test_a_port_that_is_taken_is_named() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    async with HttpServer(app, "127.0.0.1", 0, name="test") as server:
        with pytest.raises(OSError, match=f"127.0.0.1:{server.port}"):
            async with HttpServer(app, "127.0.0.1", server.port, name="test"):
                pass


def test_the_limits_are_those_that_are_documented() -> None:
    assert (server_module.MAX_HEAD, server_module.HEAD_SECONDS, server_module.LINGER_SECONDS) == (32 * 1024, 15, 3)
