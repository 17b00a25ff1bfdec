"""The gateway as it is run: a process of its own in front of a real Kafka."""

import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from contracts import Envelope, read
from contracts.stripe_facts import StripeFact
from contracts.topics import STRIPE_EVENTS
from sandbox.ports import LOOPBACK, free_port
from sandbox.process import Process
from tests.fixtures.stripe_events import BASIL, event

SECRET = os.environ.setdefault("SECRET_OF_THIS_TEST_RUN", f"whsec_{secrets.token_hex(16)}")
"""Made at run time: one that stands in the repository is no secret to a protected gateway. Schemathesis inherits it."""
PATH = "/billing/webhook"


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A running gateway and a client of its public port."""

    process: Process
    client: httpx.AsyncClient
    ops: httpx.AsyncClient

    async def post(
        self, body: bytes, *, secret: str = SECRET, age: int = 0, path: str = PATH, **headers: str
    ) -> httpx.Response:
        signed = {"stripe-signature": signature(body, secret=secret, age=age)}
        return await self.client.post(path, content=body, headers=signed | headers)

    async def metrics(self) -> str:
        return (await self.ops.get("/metrics")).text

    def log(self) -> str:
        return self.process.log.read_text()


Start = Callable[..., AbstractAsyncContextManager[Gateway]]


def signature(body: bytes, *, secret: str = SECRET, age: int = 0) -> str:
    timestamp = int(time.time()) - age
    digest = hmac.new(secret.encode(), b"%d.%b" % (timestamp, body), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest},v0={digest}"


def new_event(name: str = "invoice.payment_succeeded", era: str = BASIL, **changes: Any) -> tuple[str, bytes]:
    """Return a fixture under an event id of its own, and that id."""
    document = {**event(name, era), "id": f"evt_{uuid.uuid4().hex}", **changes}
    return document["id"], json.dumps(document, indent=2).encode()


@asynccontextmanager
async def running_gateway(directory: Path, **environment: str | None) -> AsyncIterator[Gateway]:
    """Start a production gateway of its own, with what `environment` says beside that; None leaves a variable out."""
    http, ops = free_port(), free_port()
    settings = {"HTTP_HOST": LOOPBACK, "HTTP_PORT": str(http), "OPS_PORT": str(ops), "APP_ENV": "production"}
    settings["STRIPE_LIVEMODE"] = "false"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STRIPE_", "KILL_"))}
    process = Process(
        "gateway",
        [sys.executable, "-m", "webhook_gateway"],
        log=directory / f"gateway-{http}.log",
        env={name: value for name, value in (inherited | settings | environment).items() if value is not None},
    )
    process.start()
    try:
        async with (
            httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{http}", timeout=20) as client,
            httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{ops}", timeout=20) as ops_client,
        ):
            await process.until(lambda: answers(client), within=30)
            yield Gateway(process=process, client=client, ops=ops_client)
    finally:
        await process.stop()


async def answers(client: httpx.AsyncClient) -> bool:
    try:
        await client.get("/")
    except httpx.TransportError:
        return False
    return True


async def is_ready(gateway: Gateway) -> bool:
    return (await gateway.ops.get("/readyz")).status_code == 200


async def has_met_kafka(gateway: Gateway) -> bool:
    """One without a usable secret gets no further: it is never ready."""
    checks = (await gateway.ops.get("/readyz")).json()["checks"]
    return all(state == "ok" for name, state in checks.items() if name != "secrets")


@pytest.fixture
def start(kafka_bootstrap: str, tmp_path: Path) -> Start:
    """Start a gateway of its own: `async with start(APP_ENV="local") as gateway`."""

    @asynccontextmanager
    async def starting(**environment: str | None) -> AsyncIterator[Gateway]:
        settings = {"KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, "STRIPE_WEBHOOK_SECRETS": SECRET}
        async with running_gateway(tmp_path, **(settings | environment)) as gateway:
            await gateway.process.until(lambda: has_met_kafka(gateway), within=20)
            yield gateway

    return starting


@pytest.fixture(scope="module")
async def gateway(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """Provide one production gateway for the tests that change nothing about it."""
    settings = {"KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, "STRIPE_WEBHOOK_SECRETS": SECRET}
    async with running_gateway(tmp_path_factory.mktemp("gateway"), **settings) as running:
        await running.process.until(lambda: is_ready(running), within=20)
        yield running


async def published(bootstrap: str, *event_ids: str) -> list[tuple[Envelope, StripeFact, bytes]]:
    """Return every record on the topic that carries one of these events: envelope, fact and key."""
    async with AIOKafkaConsumer(
        STRIPE_EVENTS.name,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=20,
    ) as consumer:
        return [_decoded(record) for record in await _everything(consumer) if _names(record, event_ids)]


async def _everything(consumer: AIOKafkaConsumer) -> list[Any]:
    ends = await consumer.end_offsets(list(consumer.assignment()))
    found = []
    while any([await consumer.position(partition) < end for partition, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found.extend(records)
    return found


def _names(record: Any, event_ids: Collection[str]) -> bool:
    """Return whether it is of these: other tests of this run write to the topic too, and not only facts."""
    return any(event_id.encode() in (record.value or b"") for event_id in event_ids)


def _decoded(record: Any) -> tuple[Envelope, StripeFact, bytes]:
    envelope = Envelope.from_headers(record.headers)
    fact = read(type=envelope.type, value=record.value)
    assert isinstance(fact, StripeFact)
    return envelope, fact, record.key
