"""Each process says by itself what it lacks, and what of it turns: the schema, a missing topic, its loops."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient

import catalog.main
import notifier.main
import purchases.main
from chassis.database.migrations import migrate
from chassis.database.schema_check import newest_revision
from contracts.topics import ALL_TOPICS, PURCHASE_EVENTS, STRIPE_EVENTS
from sandbox import places
from sandbox.brokers import Broker, broker_choice, start_broker
from sandbox.topics import create_topics
from tests.contract.docs.tables import USED
from tests.integration.starting.commands import run, serving
from tests.stack.postgres import NewDatabase

CONSUMES: Final = ("consumer", "parked")
JOBS: Final = (
    "brake-watch",
    "commands-0",
    "commands-1",
    "commands-2",
    "commands-3",
    "commands-listener",
    "commands-sweep",
)
RELAYS: Final = ("outbox-gauge", "relay")


@dataclass(frozen=True)
class Running:
    """How a process is started, where its migrations are, and which loops it has."""

    command: tuple[str, ...]
    migrations: Path | None
    loops: tuple[str, ...]


PROCESSES: Final[Mapping[str, Running]] = {
    "catalog": Running(
        ("catalog", "serve"), catalog.main.MIGRATIONS, (*CONSUMES, *RELAYS, "ended-sessions", "pruning", "read-back")
    ),
    "catalog-relay": Running(("catalog", "relay"), catalog.main.MIGRATIONS, RELAYS),
    "purchases-api": Running(("purchases", "api"), purchases.main.MIGRATIONS, ("ended-sessions", "untold-sessions")),
    "purchases-worker": Running(
        ("purchases", "worker"),
        purchases.main.MIGRATIONS,
        (*CONSUMES, *RELAYS, *JOBS, "pruning", "read-back", "silence-alarm", "sweep-planner"),
    ),
    "purchases-relay": Running(("purchases", "relay"), purchases.main.MIGRATIONS, RELAYS),
    "notifier": Running(
        ("notifier",),
        notifier.main.MIGRATIONS,
        (*CONSUMES, "ended-sessions", "housekeeping", "mail-leases", "pruning", "sender"),
    ),
    "webhook-gateway": Running(("webhook_gateway",), None, ()),
}
NEWER: Final = "9999_of_a_later_version"


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker of our own, without topics."""
    directory = tmp_path_factory.mktemp("broker")
    broker = await start_broker(
        broker_choice(), topics=(), directory=directory, cache=places.maven_cache(), log=directory / "kafka.log"
    )
    yield broker
    await broker.stop()


@pytest.fixture
async def no_topics(broker: Broker) -> AsyncIterator[Broker]:
    yield broker
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        ours = {topic.name for topic in ALL_TOPICS}
        await admin.delete_topics([*ours])
        async with asyncio.timeout(60):
            await until_gone(admin, ours)
    finally:
        await admin.close()


async def until_gone(admin: AIOKafkaAdminClient, topics: set[str]) -> None:
    """The controller confirms before the broker has done it."""
    while True:
        if not topics & set(await admin.list_topics()):
            return
        await asyncio.sleep(0.05)


def given_settings(broker: Broker, url: str) -> dict[str, str]:
    return {
        "APP_ENV": "testing",
        "DATABASE_URL": url,
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "JWT_ISSUER": "https://issuer.example",
        "JWT_AUDIENCE": "quittance",
        "JWKS_URL": "http://127.0.0.1:9/jwks.json",
        "MAIL_FROM": "billing@quittance.example",
        "TEAM_NOTIFY_EMAIL": "team@quittance.example",
        "SUPPORT_EMAIL": "help@quittance.example",
    }


async def readiness(operator: httpx.AsyncClient) -> tuple[int, dict[str, str]]:
    answer = await operator.get("/readyz")
    reasons: dict[str, str] = answer.json()["reasons"]
    return answer.status_code, reasons


async def until_it_has_looked(operator: httpx.AsyncClient) -> tuple[int, dict[str, str]]:
    """On a busy machine the broker, or the database, may not have answered in time at first."""
    async with asyncio.timeout(60):
        while True:
            status, reasons = await readiness(operator)
            if "no answer in" not in str(reasons):
                return status, reasons
            await asyncio.sleep(0.1)


async def until_ready(operator: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while (seen := await readiness(operator))[0] != 200:
            assert seen, "it says nothing"
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("name", PROCESSES)
async def test_what_it_lacks_is_named_and_a_newer_schema_is_enough(
    name: str, no_topics: Broker, database_url: NewDatabase
) -> None:
    process, url = PROCESSES[name], await database_url()
    async with serving(*process.command, given_settings=given_settings(no_topics, url)) as operator:
        status, reasons = await until_it_has_looked(operator)
        assert status == 503
        assert [topic for topic in USED[name].all if topic not in reasons["topics"]] == []
        if process.migrations is not None:
            assert f"the schema is empty and this version needs {newest_revision(process.migrations)}" in str(reasons)
            await brought_beyond(url, process.migrations)

        await create_topics(no_topics.bootstrap, ALL_TOPICS)
        await until_ready(operator)

        alive = await operator.get("/livez")
        assert (alive.status_code, alive.json()["loops"]) == (200, sorted(process.loops))


async def brought_beyond(url: str, migrations: Path) -> None:
    """As a rollout does it: the migrations of a later version have run, and this one goes on."""
    await asyncio.to_thread(migrate, url=url, migrations=migrations)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("update alembic_version set version_num = $1", NEWER)
    finally:
        await connection.close()


async def test_a_schema_of_before_is_named_with_both_revisions(no_topics: Broker, database_url: NewDatabase) -> None:
    url, migrations = await database_url(), purchases.main.MIGRATIONS
    await brought_beyond(url, migrations)
    connection = await asyncpg.connect(url)
    await connection.execute("update alembic_version set version_num = '0001'")
    await connection.close()
    await create_topics(no_topics.bootstrap, ALL_TOPICS)

    ended = await run("purchases", "doctor", "worker", given_settings=given_settings(no_topics, url))

    assert ended.status == 3, ended.output
    assert "purchases-worker: not ready: migrations" in ended.output
    assert f"the schema is at revision 0001 and this version needs {newest_revision(migrations)}" in ended.output


async def test_one_topic_that_is_missing_is_named_alone(no_topics: Broker, database_url: NewDatabase) -> None:
    await create_topics(no_topics.bootstrap, [topic for topic in ALL_TOPICS if topic is not STRIPE_EVENTS])
    settings = given_settings(no_topics, await database_url())

    ended = await run("webhook_gateway", "doctor", given_settings={**settings, "STRIPE_WEBHOOK_SECRETS": SECRET})

    assert (ended.status, STRIPE_EVENTS.name in ended.output) == (3, True), ended.output
    assert PURCHASE_EVENTS.name not in ended.output


SECRET: Final = f"whsec_{secrets.token_hex(16)}"
MADE: Final = secrets.token_hex(16)
NEEDED: Final[Mapping[str, Any]] = {
    "catalog": (("catalog", "serve"), ["DATABASE_URL"]),
    "catalog-relay": (("catalog", "relay"), ["DATABASE_URL"]),
    "purchases-api": (("purchases", "api"), ["DATABASE_URL", "STRIPE_SECRET_KEY", "SESSION_SECRET"]),
    "purchases-worker": (("purchases", "worker"), ["DATABASE_URL", "STRIPE_SECRET_KEY"]),
    "purchases-relay": (("purchases", "relay"), ["DATABASE_URL"]),
    "notifier": (("notifier",), ["DATABASE_URL"]),
    "webhook-gateway": (("webhook_gateway",), []),
}
SOUND: Final = {
    "APP_ENV": "production",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nowhere",
    "JWT_ISSUER": "https://issuer.example",
    "JWT_AUDIENCE": "quittance",
    "JWKS_URL": "https://issuer.example/jwks.json",
    "SUPPORT_EMAIL": "help@quittance.example",
    "STRIPE_SECRET_KEY": f"sk_test_{MADE}",
    "STRIPE_LIVEMODE": "false",
    "OIDC_ISSUER_URL": "https://issuer.example",
    "OIDC_CLIENT_ID": "pages",
    "SESSION_SECRET": MADE,
    "MAIL_FROM": "billing@quittance.example",
    "TEAM_NOTIFY_EMAIL": "team@quittance.example",
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SECURITY_USERNAME": "service",
    "KAFKA_SECURITY_PASSWORD": MADE,
}
CASES: Final = [(name, secret) for name, (_, own) in NEEDED.items() for secret in [*own, "KAFKA_SECURITY_PASSWORD"]]


@pytest.mark.parametrize(("name", "secret"), CASES)
async def test_a_process_without_one_of_its_secrets_names_it_and_does_not_start(name: str, secret: str) -> None:
    """The gateway's own secret is shown by its readiness: it starts, and refuses every webhook."""
    ended = await run(*NEEDED[name][0], given_settings=SOUND | {secret: ""})

    assert ended.status == 1, ended.output
    assert [line for line in ended.output.splitlines() if line.startswith(secret)], ended.output
    assert MADE not in ended.output
