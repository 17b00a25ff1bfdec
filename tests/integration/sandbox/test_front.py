"""The one origin of the pages: what goes through it stays as it was, and what cannot go through is explained."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from chassis.web.server import HttpServer
from sandbox.front.pages import NEVER_TWICE, STYLE_PATH, WHETHER_PAID, out_of_reach
from sandbox.front.routes import NOWHERE
from sandbox.ports import LOOPBACK, free_port, is_listening
from sandbox.process import Process


@dataclass
class Service:
    """Says what it was asked, and answers with two cookies, a redirect, or slowly."""

    name: str
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        headers = [(b"set-cookie", b"a=1; HttpOnly"), (b"set-cookie", b"b=2"), (b"x-service", self.name.encode())]
        status = 303 if path == "/app/away" else 418 if path == "/app/teapot" else 200
        if status == 303:
            headers.append((b"location", b"https://bank.example/confirm?next=%2F"))
        body = await _everything(receive)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if path == "/app/slow":
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            await self.gate.wait()
        await send({"type": "http.response.body", "body": _echo(scope, body)})


async def _everything(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def _echo(scope: Scope, body: bytes) -> bytes:
    target = f"{scope['raw_path'].decode()}?{scope['query_string'].decode()}"
    headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
    return json.dumps({"method": scope["method"], "target": target, "headers": headers, "body": body.decode()}).encode()


@pytest.fixture(scope="module")
async def purchases() -> Service:
    return Service("purchases-api")


@pytest.fixture(scope="module")
async def down() -> AsyncIterator[int]:
    """A port on which nobody answers."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="module")
async def front(
    purchases: Service, down: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    async with HttpServer(purchases, LOOPBACK, 0, graceful_seconds=1) as behind:
        nobody = f"http://{LOOPBACK}:{down}"
        services = ["--purchases", f"http://{LOOPBACK}:{behind.port}", "--catalog", nobody, "--notifier", nobody]
        command = [sys.executable, "-m", "sandbox.front", "--port", str(port), *services]
        process = Process("front", command, log=tmp_path_factory.mktemp("front") / "front.log")
        process.start()

        async def ready() -> bool:
            return is_listening(port)

        await process.until(ready, within=20)
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", trust_env=False, timeout=20) as client:
            yield client
        await process.stop()


async def test_a_request_arrives_as_it_was_sent(front: httpx.AsyncClient) -> None:
    sent = {"Origin": "http://pages.test", "Cookie": "quittance_session=x; other=y", "Host": "pages.test:8100"}

    answer = await front.post("/app/a%2Fb%20c?q=%C3%A4&q=2", content="note=a+b%26", headers=sent)

    arrived, headers = answer.json(), dict(answer.json()["headers"])
    assert (arrived["method"], arrived["target"], arrived["body"]) == (
        "POST",
        "/app/a%2Fb%20c?q=%C3%A4&q=2",
        "note=a+b%26",
    )
    assert {name.lower(): value for name, value in sent.items()}.items() <= headers.items()
    assert headers["x-forwarded-host"] == "pages.test:8100"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-for"]) == ("http", LOOPBACK)


async def test_what_a_browser_says_about_its_own_way_here_is_not_believed(front: httpx.AsyncClient) -> None:
    answer = await front.get("/app/x", headers={"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.test"})

    forwarded = [value for name, value in answer.json()["headers"] if name.startswith("x-forwarded")]
    assert sorted(forwarded) == sorted([LOOPBACK, "http", front.base_url.netloc.decode()])


@pytest.mark.parametrize(("path", "status"), [("/app/away", 303), ("/app/teapot", 418), ("/session/callback", 200)])
async def test_an_answer_comes_back_as_it_was_given(front: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await front.get(path)

    assert answer.status_code == status
    assert answer.headers.get_list("set-cookie") == ["a=1; HttpOnly", "b=2"]
    assert answer.headers.get("location") == ("https://bank.example/confirm?next=%2F" if status == 303 else None)
    assert answer.headers["x-service"] == "purchases-api"


@pytest.mark.parametrize("path", ["/app/billing/addons", "/settings/billing", "/settings/billing/"])
async def test_the_addresses_of_the_original_lead_there_too(front: httpx.AsyncClient, path: str) -> None:
    answer = await front.get(path)

    assert answer.headers["x-service"] == "purchases-api"
    assert answer.json()["target"] == f"{path}?"


async def test_an_answer_is_passed_on_while_it_is_made(front: httpx.AsyncClient, purchases: Service) -> None:
    async with front.stream("GET", "/app/slow") as answer:
        pieces = answer.aiter_bytes()

        assert await anext(pieces) == b"first"
        purchases.gate.set()
        assert json.loads(await anext(pieces))["method"] == "GET"


async def test_the_root_leads_to_the_prices(front: httpx.AsyncClient) -> None:
    answer = await front.get("/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/pricing")


@pytest.mark.parametrize("path", ["/v1/addons", "/application", "/app/../v1/addons", "/docs", "/administration"])
async def test_what_nobody_has_is_answered_by_the_pages_and_nothing_else_is_behind_it(
    front: httpx.AsyncClient, path: str
) -> None:
    with socket.create_connection((front.base_url.host, front.base_url.port or 80)) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: pages.test\r\nConnection: close\r\n\r\n".encode())
        answer = await asyncio.to_thread(lambda: b"".join(iter(lambda: raw.recv(65_536), b"")))

    assert b"x-service: purchases-api" in answer
    assert f'"target": "{NOWHERE}?"'.encode() in answer


@pytest.mark.parametrize(
    ("method", "answered"),
    [("GET", f"Opening a page changes nothing. {WHETHER_PAID}"), ("POST", "What you sent did not arrive")],
)
async def test_a_service_that_is_down_is_a_page_that_says_so(
    front: httpx.AsyncClient, method: str, answered: str
) -> None:
    answer = await front.request(method, "/admin/addons", content=None if method == "GET" else b"name=x")

    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert "cannot be reached just now" in answer.text
    assert answered in answer.text
    assert (await front.get(STYLE_PATH)).headers["content-type"].startswith("text/css")
    assert f'<link rel="stylesheet" href="{STYLE_PATH}">' in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("error", "status"), [(httpx.ReadTimeout("no answer"), 504), (httpx.RemoteProtocolError("cut off"), 502)]
)
def test_what_may_have_arrived_is_said_to_and_where_it_shows(error: httpx.TransportError, status: int) -> None:
    page = out_of_reach("POST", error)

    assert page.status_code == status
    assert f"<p>What you sent may have arrived. {WHETHER_PAID} {NEVER_TWICE}</p>" in bytes(page.body).decode()
