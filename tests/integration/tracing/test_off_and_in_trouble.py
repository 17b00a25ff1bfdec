"""Traces are off by default, and where they are on their receiver's trouble is nobody else's."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Final

import httpx
import pytest

from sandbox.processes import SERVICES, clean_environment
from sandbox.stack import EmbeddedStack
from tests.bench.webhooks import Sale, paid_event, signed_request
from tests.stack.otlp import Receiver, an_otlp_receiver

GATEWAY: Final = [service for service in SERVICES if service.name == "webhook-gateway"]
PARTS: Final = tuple(f"opentelemetry.{part}" for part in ("exporter", "instrumentation", "proto", "sdk"))
"""Not the API, of which FastAPI imports a part by itself where it is installed."""
STARTED: Final = """
import sys
from {module} import {names}
from chassis.process.settings import ServiceSettings
from chassis.process.startup import prepare_process

prepare_process(ServiceSettings, service="x")
print(*sorted(name for name in sys.modules if name.startswith({parts})))
"""
PROCESSES: Final = {
    "catalog.main.service": "serve",
    "purchases.main.api": "serve",
    "purchases.main.worker": "work",
    "notifier.main.service": "serve",
    "webhook_gateway.main": "main",
}
STOP_SECONDS: Final = 15.0


def modules(process: str, **env: str) -> list[str]:
    """Return what a process of its own has imported of OpenTelemetry, once it is prepared."""
    program = STARTED.format(module=process, names=PROCESSES[process], parts=PARTS)
    words = [sys.executable, "-c", program]
    environment = clean_environment() | {"APP_ENV": "testing"} | env
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_without_a_receiver_imports_nothing_of_opentelemetry(process: str) -> None:
    assert modules(process) == []


def test_a_process_with_a_receiver_imports_it() -> None:
    assert "opentelemetry.sdk.trace" in modules(
        "webhook_gateway.main", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9"
    )


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with an_otlp_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
async def stack(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_TRACES_SAMPLER_ARG": "1"}
    env |= {"OTEL_BSP_SCHEDULE_DELAY": "200"}
    directory = tmp_path_factory.mktemp("gateway")
    without = ("stripe", "mailbox", "issuer")
    async with EmbeddedStack(services=GATEWAY, directory=directory, extra_env=env, without=without) as stack:
        yield stack


async def send(stack: EmbeddedStack, *, headers: dict[bytes, bytes] | None = None, query: bytes = b"") -> int:
    """Send a webhook; return the answer's status."""
    head, _, body = signed_request(paid_event(Sale()), secret=stack.webhook_secret).partition("\r\n\r\n")
    sent = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    url = httpx.URL(f"{stack.addresses.url('webhook-gateway')}/billing/webhook", query=query)
    raw = [(name.encode(), value.encode()) for name, value in sent.items()]
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, content=body, headers=[*raw, *(headers or {}).items()])
    return answer.status_code


def hang() -> int:
    """Answer too late, and no."""
    time.sleep(20)
    return 503


async def test_a_receiver_that_hangs_or_refuses_slows_no_webhook_and_no_stop(
    stack: EmbeddedStack, receiver: Receiver
) -> None:
    receiver.answers = hang
    started = time.monotonic()
    assert [await send(stack) for _ in range(20)] == [200] * 20
    assert time.monotonic() - started < STOP_SECONDS

    started = time.monotonic()
    await stack.stop_process("webhook-gateway")

    assert time.monotonic() - started < STOP_SECONDS
    receiver.answers = lambda: 200
    await stack.start("webhook-gateway")
    assert await send(stack) == 200
    await asyncio.to_thread(receiver.until, lambda: bool(receiver.spans))
    metrics = (await asyncio.to_thread(httpx.get, f"{stack.operations_url('webhook-gateway')}/metrics")).text
    assert re.search(r'billing_spans_total\{outcome="exported"\} [1-9]', metrics)


async def test_bytes_that_are_no_text_cost_the_trace_and_not_the_answer(stack: EmbeddedStack) -> None:
    assert await send(stack, headers={b"user-agent": b"\xff\xfe"}) == 200


@pytest.mark.parametrize("sampled", ["00", "01"])
async def test_a_callers_trace_is_not_believed(stack: EmbeddedStack, receiver: Receiver, sampled: str) -> None:
    theirs = os.urandom(16).hex()
    before = len(receiver.spans)

    assert await send(stack, headers={b"traceparent": f"00-{theirs}-00f067aa0ba902b7-{sampled}".encode()}) == 200

    await asyncio.to_thread(receiver.until, lambda: len(receiver.spans) > before)
    assert theirs not in {span.trace for span in receiver.spans}


async def test_where_callers_are_trusted_their_trace_goes_on_and_their_sampling_decides(
    stack: EmbeddedStack, receiver: Receiver
) -> None:
    kept, dropped = os.urandom(16).hex(), os.urandom(16).hex()
    await stack.restart("webhook-gateway", {"OTEL_TRUST_CALLERS": "true"})

    for trace, sampled in ((dropped, "00"), (kept, "01")):
        assert await send(stack, headers={b"traceparent": f"00-{trace}-00f067aa0ba902b7-{sampled}".encode()}) == 200

    await asyncio.to_thread(receiver.until, lambda: kept in receiver.traces("POST /billing/webhook"))
    webhooks = [span for span in receiver.spans if span.trace == kept and span.name == "POST /billing/webhook"]
    assert [span.parent for span in webhooks] == ["00f067aa0ba902b7"]
    assert dropped not in {span.trace for span in receiver.spans}
