"""Whoever signs out is signed out everywhere: each process reads every sign-out, and forgets what has expired."""

import asyncio
import dataclasses
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from sqlalchemy import MetaData, text

from chassis.database.database import Database
from chassis.database.tables import outbox_table
from chassis.kafka import ended_sessions
from chassis.kafka.ended_sessions import EndedSessions, digest_of
from chassis.kafka.kafka import Producer
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from contracts import SESSION_STATE, seal
from contracts.session_facts import SessionEnded
from purchases.main.api import publish_sign_out
from tests.integration.chassis_data.any_bytes import AnyRecord, any_producer
from tests.integration.chassis_data.test_message_path import until
from tests.stack.postgres import NewDatabase

HOUR = 3600


def a_token() -> str:
    """As far as it counts here: three parts, and never the same."""
    return f"eyJhbGciOiJSUzI1NiJ9.{uuid.uuid4().hex}.c2lnbmF0dXJl"


@pytest.fixture
def settings(kafka_bootstrap: str) -> ServiceSettings:
    return ServiceSettings(app_env="testing", kafka_bootstrap_servers=kafka_bootstrap)


@pytest.fixture
async def producer(settings: ServiceSettings) -> AsyncIterator[Producer]:
    async with Producer(settings) as producer:
        await producer.wait_connected()
        yield producer


def publishing(producer: Producer) -> Callable[[SessionEnded], Awaitable[None]]:
    """As a relay does."""

    async def publish(fact: SessionEnded) -> None:
        headers = seal(fact, occurred_at=fact.occurred_at).to_headers()
        value = fact.model_dump_json().encode()
        await producer.produce(topic=SESSION_STATE.name, key=fact.key, headers=headers, value=value)

    return publish


@asynccontextmanager
async def a_process(settings: ServiceSettings, **options: Any) -> AsyncIterator[EndedSessions]:
    """One that reads the topic and is ready."""
    ended, health = EndedSessions(settings, **options), Health()
    async with ended.running(health):
        await until(ended.was_read)
        assert (await health.readiness())["sessions"] == "ok"
        yield ended


async def test_a_sign_out_is_known_here_at_once_and_everywhere_within_two_seconds(
    settings: ServiceSettings, producer: Producer
) -> None:
    token, other = a_token(), a_token()
    async with a_process(settings, publish=publishing(producer)) as here, a_process(settings) as there:
        await here.end(token, expires_at=time.time() + HOUR)
        at_once = here.has(token)
        await until(lambda: _says(there.has(token)), seconds=2)

        assert at_once
        assert not there.has(other)


async def test_who_starts_later_knows_of_it_before_being_ready(settings: ServiceSettings, producer: Producer) -> None:
    token = a_token()
    async with a_process(settings, publish=publishing(producer)) as here:
        await here.end(token, expires_at=time.time() + HOUR)

    async with a_process(settings) as later:
        assert later.has(token)


async def test_another_spelling_of_the_signature_is_the_same_token(
    settings: ServiceSettings, producer: Producer
) -> None:
    """Base64 has spare bits and an ECDSA signature a twin: what verifies may look otherwise."""
    token = a_token()
    async with a_process(settings) as here:
        await here.end(token, expires_at=time.time() + HOUR)

        assert here.has(f"{token.rpartition('.')[0]}.another-signature")


async def test_memory_holds_only_what_would_still_be_good(settings: ServiceSettings, producer: Producer) -> None:
    """However many have signed out since the topic was made."""
    now = time.time()
    old = [a_token() for _ in range(200)]
    clock = {"now": now}
    publish = publishing(producer)
    for token in old:
        ended_at, until_then = datetime.fromtimestamp(now - 2 * HOUR, UTC), timedelta(hours=1)
        await publish(
            SessionEnded(token_sha256=digest_of(token), expires_at=ended_at + until_then, occurred_at=ended_at)
        )
    async with a_process(settings, clock=lambda: clock["now"]) as here:
        found = [token for token in old if here.has(token)]
        soon = a_token()
        await here.end(soon, expires_at=now + 60)
        held = len(here)
        clock["now"] = now + 10 * HOUR

        await until(lambda: _says(len(here) < held))

        assert found == []
        assert not here.has(soon)


async def test_what_is_no_sign_out_stops_nobody(settings: ServiceSettings, producer: Producer) -> None:
    token = a_token()
    async with (
        any_producer(settings.kafka_bootstrap_servers) as raw,
        a_process(settings, publish=publishing(producer)) as here,
        a_process(settings) as there,
    ):
        names = [(b"\xff\x00", b"\xff"), (b"ce_type", b"\xff"), (b"", None)]
        nonsense = [
            AnyRecord(key=b"\xff", value=value, headers=names[:number])
            for number, value in enumerate((None, b"\x00{", json.dumps({"token_sha256": 7}).encode(), b""))
        ]
        for partition in range(SESSION_STATE.partitions):
            await raw.send(SESSION_STATE.name, *nonsense, partition=partition)

        await here.end(token, expires_at=time.time() + HOUR)
        await until(lambda: _says(there.has(token)), seconds=5)


async def test_a_token_that_is_good_for_ever_can_be_ended_too(settings: ServiceSettings) -> None:
    token, ended = a_token(), EndedSessions(settings)

    await ended.end(token, expires_at=1e300)

    assert ended.has(token)


async def test_while_it_cannot_be_published_it_is_known_here_and_published_later(
    settings: ServiceSettings, producer: Producer
) -> None:
    token, away = a_token(), {"is": True}
    publish = publishing(producer)

    async def publish_if_there(fact: SessionEnded) -> None:
        if away["is"]:
            raise ConnectionError("the database is away")
        await publish(fact)

    async with a_process(settings, publish=publish_if_there) as here, a_process(settings) as there:
        await here.end(token, expires_at=time.time() + HOUR)
        known = (here.has(token), there.has(token))
        away["is"] = False
        await until(lambda: _says(there.has(token)))

    assert known == (True, False)


async def test_without_kafka_nobody_becomes_ready() -> None:
    settings = ServiceSettings(app_env="testing", kafka_bootstrap_servers="127.0.0.1:9")
    ended, health = EndedSessions(settings), Health()
    async with ended.running(health):
        await asyncio.sleep(0.5)

        assert (await health.readiness())["sessions"] == "failed"
        assert health.late() == {}


async def test_a_kafka_that_takes_connections_and_says_nothing_is_tried_again_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A restart would be no help, so liveness does not ask for one."""
    came: list[object] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(reader)
        await reader.read()
        writer.close()
        await writer.wait_closed()

    monkeypatch.setattr(ended_sessions, "START_SECONDS", 0.1)
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        address = "127.0.0.1:{1}".format(*server.sockets[0].getsockname())
        settings, health = ServiceSettings(app_env="testing", kafka_bootstrap_servers=f"{address},{address}"), Health()
        async with EndedSessions(settings).running(health):
            await until(lambda: _says(len(came) >= 3))

            assert (await health.readiness())["sessions"] == "failed"


def test_a_beat_is_never_as_late_as_one_round_that_finds_kafka_silent_may_be() -> None:
    pause = 5.0

    assert ended_sessions.START_SECONDS + ended_sessions.STOP_SECONDS + pause < ended_sessions.BEAT_SECONDS


@pytest.fixture
async def admin(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    yield admin
    await admin.close()


@pytest.mark.parametrize("number", [2, 14])
async def test_every_partition_is_read_however_many_there_are_also_those_that_come_later(
    settings: ServiceSettings,
    producer: Producer,
    admin: AIOKafkaAdminClient,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    topic = f"test.session.{uuid.uuid4().hex}"
    monkeypatch.setattr(ended_sessions, "SESSION_STATE", dataclasses.replace(SESSION_STATE, name=topic))
    monkeypatch.setattr(ended_sessions, "METADATA_MS", 200)
    await admin.create_topics([NewTopic(topic, number, 1)])

    async with a_process(settings) as here:
        token, later = a_token(), a_token()
        await _sign_out(settings, topic, token, partition=number - 1)
        await until(lambda: _says(here.has(token)))

        await admin.create_partitions({topic: NewPartitions(number + 1)})
        await _sign_out(settings, topic, later, partition=number)
        await until(lambda: _says(here.has(later)))


async def test_one_that_can_never_be_published_holds_up_no_other(settings: ServiceSettings, producer: Producer) -> None:
    token, next_token = a_token(), a_token()
    published: list[str] = []

    async def publish(fact: SessionEnded) -> None:
        if fact.token_sha256 == digest_of(token):
            raise ValueError("what no table holds")
        published.append(fact.token_sha256)

    async with a_process(settings, publish=publish) as here:
        await here.end(token, expires_at=time.time() + HOUR)
        await here.end(next_token, expires_at=time.time() + HOUR)

        await until(lambda: _says(published == [digest_of(next_token)]))


async def test_one_that_another_process_has_published_already_holds_up_no_other(database_url: NewDatabase) -> None:
    """As after a double click that two replicas answer."""
    metadata = MetaData()
    outbox_table(metadata)
    async with Database(await database_url(), name="test") as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        publish = partial(publish_sign_out, database)
        one, other = (EndedSessions(ServiceSettings(app_env="testing"), publish=publish) for _ in range(2))
        token, next_token = a_token(), a_token()

        for ended in (one, other):
            await ended.end(token, expires_at=time.time() + HOUR)
        await other.end(next_token, expires_at=time.time() + HOUR)

        async with database.reading() as session:
            keys = (await session.execute(text("select key from outbox order by id"))).scalars()
        assert list(keys) == [digest_of(token), digest_of(next_token)]


async def _sign_out(settings: ServiceSettings, topic: str, token: str, *, partition: int) -> None:
    """By a producer that asks anew which partitions there are."""
    now = datetime.now(UTC)
    fact = SessionEnded(token_sha256=digest_of(token), expires_at=now + timedelta(hours=1), occurred_at=now)
    headers = [(name.encode(), value) for name, value in seal(fact, occurred_at=now).to_headers()]
    record = AnyRecord(key=fact.key.encode(), value=fact.model_dump_json().encode(), headers=headers)

    async def sent() -> bool:
        async with any_producer(settings.kafka_bootstrap_servers) as raw:
            if partition not in await raw.partitions_of(topic):
                return False
            await raw.send(topic, record, partition=partition)
            return True

    await until(sent)


async def _says(answer: object) -> object:
    return answer
