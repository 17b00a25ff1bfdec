"""What `contracts/README.md` tells other teams works as it stands there, with each of three clients of Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer
from faststream.kafka import KafkaBroker, KafkaMessage

from chassis.recovery.epochs import id_in_epoch
from contracts import FACTS, PURCHASE_EVENTS, TOPICS, Fact, schemas, seal
from tests.contract.docs.markdown import blocks
from tests.stack.kafka import a_kafka
from tests.subscribing import SUBSCRIBERS, heard

README: Final = (schemas.ROOT / "README.md").read_text()
SNIPPET: Final = next(code for kind, code in blocks(README) if kind == "python")
EPOCH: Final = 1_796_083_200
MOMENT: Final = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Provide a Kafka of its own: other tests write what is no fact to the topic."""
    async with a_kafka(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="module")
async def sent(broker: str) -> list[Fact]:
    """Return one fact of each type of a purchase.

    Each is also sent in a version that does not exist yet, and, as after a restored backup, under a later epoch's id.
    """
    found = [example(fact) for fact, topic in TOPICS.items() if topic is PURCHASE_EVENTS]
    async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
        for fact in found:
            headers = seal(fact, occurred_at=MOMENT).to_headers()
            later = [(name, b"billing.purchase.paid.v9" if name == "ce_type" else value) for name, value in headers]
            restored = [(name, str(again(fact)).encode() if name == "ce_id" else value) for name, value in headers]
            for one in (later, headers, restored):
                body = fact.model_dump_json().encode()
                await producer.send_and_wait(PURCHASE_EVENTS.name, body, key=fact.key.encode(), headers=one)
    return found


def example(fact: type[Fact]) -> Fact:
    return fact.model_validate_json((schemas.ROOT / "examples" / f"{fact.TYPE}.json").read_bytes())


def again(fact: Fact) -> UUID:
    """The id of the fact in an epoch that a restored backup began."""
    return id_in_epoch(fact.id, EPOCH)


def lines_of(fact: Fact) -> set[str]:
    return {f"{one} {fact.TYPE} {fact.subject}" for one in (fact.id, again(fact))}


@pytest.mark.parametrize("subscriber", SUBSCRIBERS, ids=lambda path: path.stem)
async def test_a_subscriber_hears_every_fact_and_passes_over_what_it_does_not_know(
    subscriber: Path, sent: list[Fact], broker: str
) -> None:
    """Also those of a later epoch, without a change of its own."""
    expected = {line for fact in sent for line in lines_of(fact)}

    lines = await heard(subscriber, bootstrap=broker, until=expected)

    assert expected == {line for line in lines if len(line.split()) == 3}  # the client's own log is among them


@pytest.mark.parametrize("subscriber", SUBSCRIBERS, ids=lambda path: path.stem)
def test_a_subscriber_is_short_enough_to_be_copied(subscriber: Path) -> None:
    """Without its imports and its sentence."""
    lines = [line for line in subscriber.read_text().splitlines() if line.strip()]

    assert len([line for line in lines if not line.startswith(("import", "from", '"""'))]) <= 24
    assert f"](subscribers/{subscriber.name})" in README


async def from_faststream(bootstrap: str) -> Any:
    client, found = KafkaBroker(bootstrap, logger=None), asyncio.Queue[KafkaMessage]()

    @client.subscriber(PURCHASE_EVENTS.name, group_id=f"test-{uuid4().hex[:8]}", auto_offset_reset="earliest")
    async def on_record(message: KafkaMessage) -> None:
        await found.put(message)

    async with client:
        await client.start()
        while (message := await found.get()).headers["ce_type"] not in FACTS:
            pass
    return given(headers=message.headers, value=message.body)


async def from_aiokafka(bootstrap: str) -> Any:
    async with AIOKafkaConsumer(
        PURCHASE_EVENTS.name, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        return await anext(record async for record in consumer if dict(record.headers)["ce_type"].decode() in FACTS)


async def from_confluent(bootstrap: str) -> Any:
    return await asyncio.to_thread(_polled, bootstrap)


def _polled(bootstrap: str) -> Any:
    group = f"test-{uuid4().hex[:8]}"
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe([PURCHASE_EVENTS.name])
    try:
        while True:
            message = consumer.poll(1.0)
            if message is not None and not message.error():
                headers = dict(message.headers() or ())
                if headers["ce_type"] is not None and _as_text(headers["ce_type"]) in FACTS:
                    return given(headers=message.headers(), value=message.value())
    finally:
        consumer.close()


def _as_text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def given(*, headers: Any, value: Any) -> Any:
    """Return what the README calls `record`."""
    return type("Record", (), {"headers": headers, "value": value})


@pytest.mark.parametrize("record_from", [from_faststream, from_aiokafka, from_confluent])
async def test_the_readmes_lines_read_the_record_of_each_client(
    record_from: Callable[[str], Any], sent: list[Fact], broker: str
) -> None:
    names: dict[str, Any] = {"record": await record_from(broker)}

    exec(SNIPPET, names)

    assert names["fact"] in sent
    assert (names["fact"].id, names["fact"].TYPE) == (names["envelope"].id, names["envelope"].type)


@pytest.fixture(autouse=True)
async def _no_record_is_waited_for_in_vain() -> AsyncIterator[None]:
    async with asyncio.timeout(90):
        yield
