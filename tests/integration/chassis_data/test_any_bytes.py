"""Whatever lies on a topic, what stands behind it is applied, and it is set aside with a trace."""

import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy import text
from structlog.testing import capture_logs

from chassis.kafka import progress, records
from chassis.outbox import applying
from chassis.outbox import consumer as consumer_module
from chassis.outbox.consumer import Consumer
from chassis.outbox.kept_records import headers_of
from chassis.process import metrics
from chassis.process.health import Health, ops_app
from contracts import AddonState, Fact, seal
from tests.integration.chassis_data.any_bytes import AnyProducer, AnyRecord, any_producer
from tests.integration.chassis_data.test_message_path import Path, _equals, addon_state, path, until

__all__ = ["path"]

TOPIC: Final = "billing.addon.state.v1"
PARKED: Final = "select count(*) from parked"


def sealed(fact: Fact, **changes: bytes) -> AnyRecord:
    """The record of a fact, some of whose headers are others."""
    headers = dict(seal(fact, occurred_at=datetime.now(UTC)).to_headers()) | changes
    value = fact.model_dump_json().encode()
    return AnyRecord(key=b"k", value=value, headers=[(name.encode(), held) for name, held in headers.items()])


def of_type(fact_type: str, value: bytes, *, ce_id: uuid.UUID | None = None) -> AnyRecord:
    """A record that says to be such a fact."""
    headers = {
        "ce_id": str(ce_id or uuid.uuid4()),
        "ce_type": fact_type,
        "ce_source": "/x",
        "ce_subject": "x",
        "ce_time": "2026-03-02T09:20:11Z",
    }
    return AnyRecord(key=b"k", value=value, headers=[(name.encode(), held.encode()) for name, held in headers.items()])


@pytest.fixture
async def producer(kafka_bootstrap: str) -> AsyncIterator[AnyProducer]:
    async with any_producer(kafka_bootstrap) as producer:
        yield producer


HELD: Final[Mapping[str, AnyRecord]] = {
    "a field's name holds NUL": of_type("billing.plan.state.v1", b'{"caps":{"a\\u0000b":"x"}}'),
    "a header's name holds NUL": AnyRecord(key=b"k", value=b"x", headers=[(b"a\x00b", b"1")]),
    "a header's name is not UTF-8": AnyRecord(key=b"k", value=b"x", headers=[(b"\xff\xfe", b"1")]),
    "a header's name is half a character": AnyRecord(key=b"k", value=b"x", headers=[(b"\xed\xa0\x80", None)]),
    "value and headers are missing": AnyRecord(key=b"k", value=None, headers=[]),
}


@pytest.mark.parametrize("record", HELD.values(), ids=HELD.keys())
async def test_a_record_that_describes_itself_badly_is_set_aside_and_the_next_is_applied(
    path: Path, producer: AnyProducer, record: AnyRecord
) -> None:
    before, behind = addon_state(), addon_state()
    path.ids |= {before.id, behind.id}
    offset = await producer.send(TOPIC, sealed(before), record, sealed(behind)) + 1

    async with path.running():
        await until(lambda: _equals(path.effects(), 2))
        await until(lambda: _equals(path.count(f'{PARKED} where "partition" = 0 and "offset" = {offset}'), 1))


async def test_a_header_of_any_name_is_kept_with_its_bytes(path: Path, producer: AnyProducer) -> None:
    record = AnyRecord(key=b"k", value=b"x", headers=[(b"\xff\x00", b"\x01"), (b"plain", b"\x02")])
    offset = await producer.send(TOPIC, record)

    async with path.running():
        await until(lambda: _equals(path.count(f'{PARKED} where "partition" = 0 and "offset" = {offset}'), 1))

    async with path.database.reading() as session:
        found = await session.execute(
            text('select headers from parked where "partition" = 0 and "offset" = :offset'), {"offset": offset}
        )
    kept = [(name.encode("utf-8", "surrogateescape"), value) for name, value in headers_of(found.scalar_one())]
    assert kept == list(record.headers)


class Topic:
    """A topic with one partition, which can be made anew."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin
        self.name = f"test.anew.{uuid.uuid4().hex[:8]}"

    async def make(self) -> None:
        if self.name in await self._admin.list_topics():
            await self._admin.delete_topics([self.name])
            await until(self._is_gone)
        await self._admin.create_topics([NewTopic(self.name, 1, 1)])

    async def _is_gone(self) -> bool:
        return self.name not in await self._admin.list_topics()


@pytest.fixture
async def topic(kafka_bootstrap: str) -> AsyncIterator[Topic]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        yield Topic(admin)
    finally:
        await admin.close()


async def test_a_record_at_a_place_where_another_was_set_aside_is_set_aside_too(
    path: Path, topic: Topic, kafka_bootstrap: str
) -> None:
    """A topic that was made anew begins at offset 0 again: neither a fact nor a malformed record is lost, or stops."""
    poison, behind = addon_state(), addon_state()
    path.ids |= {poison.id, behind.id}
    path.fault = refusing(poison)
    first, other = (AnyRecord(key=None, value=value, headers=[]) for value in (b"first", b"other"))

    await topic.make()
    async with any_producer(kafka_bootstrap) as producer, consuming(path, topic.name):
        await producer.send(topic.name, first, first)
        await until(lambda: _equals(path.count(PARKED), 2))
    await topic.make()
    async with any_producer(kafka_bootstrap) as producer, consuming(path, topic.name):
        assert await producer.send(topic.name, sealed(poison), other, sealed(behind)) == 0

        await until(lambda: _equals(path.effects(), 1))
        await until(lambda: _equals(path.count(PARKED), 4))


def refusing(poison: AddonState) -> Callable[[AddonState], None]:
    def refuse(fact: AddonState) -> None:
        if fact.id == poison.id:
            raise ValueError("poison")

    return refuse


@asynccontextmanager
async def consuming(path: Path, topic: str, *, health: Health | None = None) -> AsyncIterator[None]:
    """The consumer alone, on one topic."""
    consumer = Consumer(
        topics=[topic],
        group=path.group,
        database=path.database,
        handle=path.handle,
        settings=path.settings,
        health=health or Health(),
    )
    async with consumer.running():
        yield


async def test_a_consumer_that_stands_still_says_so_and_stays_alive(
    path: Path, topic: Topic, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart would not help: /readyz names it and the gauge pages, while /livez is as ever."""
    monkeypatch.setattr(progress, "STALL_SECONDS", 0.2)
    fact, health, away = addon_state(), Health(), True
    path.ids.add(fact.id)

    def passing(_: AddonState) -> None:
        if away:
            raise OSError("a part is away")

    path.fault = passing
    await topic.make()
    async with any_producer(kafka_bootstrap) as producer:
        await producer.send(topic.name, sealed(fact))
    with capture_logs() as lines:
        async with consuming(path, topic.name, health=health):
            await until(lambda: says(health, "/readyz", "consumer", "failed"))
            assert (await asked(health, "/livez"))[0] == 200
            gauge = metrics.CONSUMER_STALLED.labels(path.group)._value.get()
            away = False
            await until(lambda: says(health, "/readyz", "consumer", "ok"))
            await until(lambda: _equals(path.effects(), 1))

    assert gauge > 0
    assert "consumer_stalled" in {line["event"] for line in lines if line["log_level"] == "error"}


async def test_a_consumer_whose_partitions_others_took_waits_for_nothing(
    path: Path, topic: Topic, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was behind with is the others' now."""
    monkeypatch.setattr(consumer_module, "LAG_SECONDS", 0.05)
    await topic.make()
    at_hand = Consumer(
        topics=[topic.name],
        group=path.group,
        database=path.database,
        handle=path.handle,
        settings=path.settings,
        health=Health(),
    )
    async with AIOKafkaConsumer(topic.name, bootstrap_servers=kafka_bootstrap, group_id=path.group) as other:
        await until(lambda: _equals(_number_of(other), 1))
        at_hand._progress.lags(3)
        assert at_hand._progress.stalled_seconds > 0

        async with at_hand.running():
            await until(lambda: _equals(_number_of(other), 1))
            await until(lambda: _gets_on(at_hand))


async def _number_of(consumer: AIOKafkaConsumer) -> int:
    return len(consumer.assignment())


async def _gets_on(consumer: Consumer) -> bool:
    return consumer._progress.stalled_seconds == 0


async def test_what_leaves_the_handling_of_a_batch_is_counted_and_the_record_set_aside_in_the_end(
    path: Path, topic: Topic, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last resort, for faults of our own: whatever `decode` raises, its record is kept where it stood."""
    behind, decode = addon_state(), records.decode

    def faulty(record: Any) -> Any:
        if record.value == b"ours":
            raise RecursionError("a fault of ours")
        return decode(record)

    monkeypatch.setattr(applying, "decode", faulty)
    path.ids.add(behind.id)
    await topic.make()
    async with any_producer(kafka_bootstrap) as producer:
        await producer.send(topic.name, AnyRecord(key=b"k", value=b"ours", headers=[]), sealed(behind))
    async with consuming(path, topic.name):
        await until(lambda: _equals(path.effects(), 1))
        await until(lambda: _equals(path.count(f"{PARKED} where reason like '%a fault of ours%'"), 1))

    assert metrics.BATCHES_FAILED.labels(path.group)._value.get() > 0


async def test_a_consumer_whose_task_ended_is_made_anew(
    path: Path, topic: Topic, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the Kafka client raises, the process goes on reading, without a restart."""
    faults = iter([RuntimeError("a fault of the client")])

    async def getmany(self: AIOKafkaConsumer, **options: Any) -> Any:
        if error := next(faults, None):
            raise error
        return await real(self, **options)

    real, behind = AIOKafkaConsumer.getmany, addon_state()
    monkeypatch.setattr(AIOKafkaConsumer, "getmany", getmany)
    path.ids.add(behind.id)
    await topic.make()
    async with any_producer(kafka_bootstrap) as producer:
        await producer.send(topic.name, sealed(behind))
    async with consuming(path, topic.name):
        await until(lambda: _equals(path.effects(), 1))


async def asked(health: Health, page: str) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=ops_app(health)), base_url="http://ops") as client:
        answer = await client.get(page)
    return answer.status_code, answer.json()


async def says(health: Health, page: str, check: str, state: str) -> bool:
    return bool((await asked(health, page))[1]["checks"].get(check) == state)
