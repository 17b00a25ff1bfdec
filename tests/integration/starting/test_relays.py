"""The relay as a process: of two one leads, and when it dies the other goes on, in order, with nothing lost."""

import asyncio
import re
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

import catalog.main
import purchases.main
from sandbox.ports import free_port
from sandbox.process import Process
from tests.integration.starting.commands import end_of, run, serving, started
from tests.stack.postgres import NewDatabase, Template

MIGRATIONS: Final[Mapping[str, Path]] = {"catalog": catalog.main.MIGRATIONS, "purchases": purchases.main.MIGRATIONS}
KEYS: Final = 20
FACTS: Final = 3_000
INSERT: Final = "insert into outbox (fact_id, topic, key, headers, payload) values ($1, $2, $3, '{}', $4)"


@dataclass(frozen=True)
class Relays:
    """What a relay is started with, and a topic that it sends to."""

    settings: dict[str, str]
    topic: str

    @property
    def url(self) -> str:
        return self.settings["DATABASE_URL"]


@pytest.fixture
async def topic(kafka_bootstrap: str) -> AsyncIterator[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    name = f"test.relayed.{uuid.uuid4().hex[:8]}"
    try:
        await admin.create_topics([NewTopic(name, 3, 1)])
        yield name
    finally:
        await admin.close()


@pytest.fixture(params=MIGRATIONS)
async def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def relays(
    service: str, topic: str, kafka_bootstrap: str, database_url: NewDatabase, template: Template
) -> Relays:
    url = await database_url(like=await template(MIGRATIONS[service]))
    return Relays({"APP_ENV": "testing", "DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}, topic)


@asynccontextmanager
async def relaying(service: str, relays: Relays) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """A relay with its operations port, which may not answer yet."""
    ports = {"HTTP_HOST": "127.0.0.1", "OPS_PORT": str(free_port())}
    process = await started(service, "relay", given_settings=relays.settings | ports)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports['OPS_PORT']}") as operator:
            yield process, operator
    finally:
        process.send(signal.SIGTERM)
        ended = await end_of(process)
    assert ended.status in {0, -signal.SIGKILL}, ended.output


async def leads(operator: httpx.AsyncClient) -> float | None:
    """What it says of itself; None while it does not answer."""
    try:
        said = (await operator.get("/metrics")).text
    except httpx.TransportError:
        return None
    return float(re.findall(r"^billing_relay_leads (\S+)$", said, re.MULTILINE)[0])


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - the condition is in another process
            await asyncio.sleep(0.05)


async def until_it_leads(operator: httpx.AsyncClient) -> None:
    async def does() -> bool:
        return await leads(operator) == 1

    await until(does)


async def until_it_stands_by(operator: httpx.AsyncClient) -> None:
    """Ready, although another one leads; and so it stays."""

    async def does() -> bool:
        return await leads(operator) == 0 and (await operator.get("/readyz")).status_code == 200

    await until(does)
    for _ in range(10):
        await asyncio.sleep(0.15)
        assert await does()


async def publish(relays: Relays, *, facts: int) -> None:
    """Facts that say their number under their key, each in a transaction of its own, several keys at once."""
    async with asyncpg.create_pool(relays.url, min_size=4, max_size=4) as pool:

        async def of(key: int) -> None:
            for number in range(facts // KEYS):
                await pool.execute(INSERT, uuid.uuid4(), relays.topic, f"key-{key}", b"%d" % number)

        await asyncio.gather(*(of(key) for key in range(KEYS)))


async def until_all_are_sent(relays: Relays) -> None:
    connection = await asyncpg.connect(relays.url)

    async def none_waits() -> bool:
        return not await connection.fetchval("select count(*) from outbox")

    try:
        await until(none_waits)
    finally:
        await connection.close()


async def sent(relays: Relays) -> dict[str, list[int]]:
    """By key, the numbers in their order."""
    by_key: dict[str, list[int]] = {}
    async with AIOKafkaConsumer(
        relays.topic,
        bootstrap_servers=relays.settings["KAFKA_BOOTSTRAP_SERVERS"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        while batches := await consumer.getmany(timeout_ms=2_000):
            for records in batches.values():
                for record in records:
                    by_key.setdefault(record.key.decode(), []).append(int(record.value))
    return by_key


def each_once(by_key: dict[str, list[int]]) -> dict[str, list[int]]:
    """In the order in which each came first: what was sent and not deleted when its relay died comes again."""
    return {key: list(dict.fromkeys(numbers)) for key, numbers in by_key.items()}


EXPECTED: Final = {f"key-{key}": list(range(FACTS // KEYS)) for key in range(KEYS)}


async def test_when_the_leader_is_killed_the_other_goes_on_in_order_with_nothing_lost(
    service: str, relays: Relays
) -> None:
    async with AsyncExitStack() as stack:
        leader, first = await stack.enter_async_context(relaying(service, relays))
        await until_it_leads(first)
        _, second = await stack.enter_async_context(relaying(service, relays))
        publishing = asyncio.create_task(publish(relays, facts=FACTS))
        await until_it_stands_by(second)

        await leader.kill()
        await until_it_leads(second)
        await publishing
        await until_all_are_sent(relays)

    assert each_once(await sent(relays)) == EXPECTED


async def test_one_that_is_stopped_while_it_sends_leaves_the_rest_to_the_next_and_repeats_nothing(
    service: str, relays: Relays
) -> None:
    async with relaying(service, relays) as (_, operator):
        await until_it_leads(operator)
        publishing = asyncio.create_task(publish(relays, facts=FACTS))
        await asyncio.sleep(0.3)
    await publishing

    async with relaying(service, relays):
        await until_all_are_sent(relays)

    assert await sent(relays) == EXPECTED


async def test_it_asks_for_database_and_kafka_alone(service: str, relays: Relays) -> None:
    """No key of Stripe's, no issuer of tokens, although the service needs both."""
    ended = await run(
        service, "doctor", "relay", "--wait", "30", given_settings={**relays.settings, "APP_ENV": "production"}
    )

    assert (ended.status, f"{service}-relay: nothing is wrong" in ended.output) == (0, True), ended.output


SERVICE: Final = {"catalog": ("catalog", "serve"), "purchases": ("purchases", "worker")}
CALLERS: Final = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "x", "JWKS_URL": "http://127.0.0.1:9/"}


async def test_a_service_whose_relay_is_apart_leaves_the_outbox_to_it_and_still_measures_it(
    service: str, relays: Relays
) -> None:
    settings = {**relays.settings, **CALLERS, "RELAY": "apart"}
    async with serving(*SERVICE[service], given_settings=settings) as operator:
        await publish(relays, facts=KEYS)

        async def all_wait() -> bool:
            return f"billing_outbox_rows {KEYS}.0" in (await operator.get("/metrics")).text

        await until(all_wait)
        assert await leads(operator) == 0
        async with relaying(service, relays):
            await until_all_are_sent(relays)


async def test_while_a_service_relays_itself_a_relay_apart_stands_by_and_then_leads(
    service: str, relays: Relays
) -> None:
    """As in the rollout that moves the relay out, one after the other and never both."""
    async with AsyncExitStack() as stack:
        async with serving(*SERVICE[service], given_settings={**relays.settings, **CALLERS}) as operator:
            await until_it_leads(operator)
            _, apart = await stack.enter_async_context(relaying(service, relays))
            await until_it_stands_by(apart)
        await until_it_leads(apart)
