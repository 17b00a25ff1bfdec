"""What happens to a record when the broker is slow, gone, or says a final no."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
)

from chassis.kafka.kafka import BrokerUnavailable
from webhook_gateway.broker import BrokerConnection, Connected, partition_of, publish
from webhook_gateway.deadlines import Deadlines
from webhook_gateway.stripe_events.records import Record

RECORD = Record(topic="t", key=b"k", headers=[("ce_id", b"1")], value=b"{}")


class FakeProducer:
    """Stands for AIOKafkaProducer; answers as the test says."""

    def __init__(self, *, raises: Exception | None = None, fails: Exception | None = None, acks: bool = True) -> None:
        self.raises, self.fails, self.acks = raises, fails, acks
        self.sent: list[bytes] = []
        self.stopped = False

    async def send(self, _topic: str, value: bytes, **_: object) -> "asyncio.Future[Any]":
        if self.raises:
            raise self.raises
        self.sent.append(value)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.fails:
            future.set_exception(self.fails)
        elif self.acks:
            future.set_result(None)
        return future

    async def stop(self) -> None:
        self.stopped = True


class Connecting:
    """Hands out the given producers one after the other."""

    def __init__(self, *producers: Any) -> None:
        self.left = list(producers)

    async def __call__(self) -> Any:
        nxt = self.left.pop(0)
        if isinstance(nxt, Exception):
            raise nxt
        return Connected(nxt, 12)


async def until_connected(broker: BrokerConnection) -> None:
    for _ in range(500):
        if broker.connected:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never connected")


async def test_a_record_is_published_when_it_is_acknowledged() -> None:
    producer = FakeProducer()
    async with BrokerConnection(Connecting(producer)) as broker:
        await until_connected(broker)
        await publish(RECORD, producer=broker, deadlines=Deadlines())

    assert producer.sent == [b"{}"]
    assert producer.stopped


async def test_before_the_first_connection_the_broker_is_unavailable_at_once() -> None:
    async with BrokerConnection(Connecting(KafkaConnectionError(), FakeProducer())) as broker:
        with pytest.raises(BrokerUnavailable):
            await publish(RECORD, producer=broker, deadlines=Deadlines())
        await until_connected(broker)
        await publish(RECORD, producer=broker, deadlines=Deadlines())


async def test_a_missing_acknowledgement_is_given_up_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook_gateway.broker.ACK_SECONDS", 0.1)
    async with BrokerConnection(Connecting(FakeProducer(acks=False))) as broker:
        await until_connected(broker)
        async with asyncio.timeout(3):
            with pytest.raises(BrokerUnavailable):
                await publish(RECORD, producer=broker, deadlines=Deadlines())


@pytest.mark.parametrize(
    "spoiled",
    [FakeProducer(fails=OutOfOrderSequenceNumber()), FakeProducer(raises=ProducerClosed())],
    ids=["refused", "dead"],
)
async def test_a_final_error_replaces_the_producer(spoiled: FakeProducer) -> None:
    fresh = FakeProducer()
    async with BrokerConnection(Connecting(spoiled, fresh)) as broker:
        await until_connected(broker)
        with pytest.raises(BrokerUnavailable):
            await publish(RECORD, producer=broker, deadlines=Deadlines())
        await asyncio.sleep(0.05)
        await publish(RECORD, producer=broker, deadlines=Deadlines())

    assert spoiled.stopped
    assert fresh.sent == [b"{}"]


@pytest.mark.parametrize("error", [KafkaTimeoutError(), MessageSizeTooLargeError()])
async def test_an_error_before_the_record_is_numbered_replaces_nothing(error: Exception) -> None:
    producer = FakeProducer(raises=error)
    async with BrokerConnection(Connecting(producer)) as broker:
        await until_connected(broker)
        with pytest.raises(BrokerUnavailable):
            await publish(RECORD, producer=broker, deadlines=Deadlines())

        assert not producer.stopped


async def test_a_storm_of_final_errors_replaces_the_producer_once() -> None:
    spoiled, fresh = FakeProducer(fails=OutOfOrderSequenceNumber()), FakeProducer(fails=OutOfOrderSequenceNumber())
    async with BrokerConnection(Connecting(spoiled, fresh)) as broker:
        await until_connected(broker)
        for _ in range(20):
            with pytest.raises(BrokerUnavailable):
                await publish(RECORD, producer=broker, deadlines=Deadlines())
            await asyncio.sleep(0.01)

        assert not fresh.stopped


def test_a_key_stays_on_its_partition_and_keys_are_spread() -> None:
    chosen = [partition_of(f"cus_{number}".encode(), partitions=12) for number in range(600)]

    assert chosen == [partition_of(f"cus_{number}".encode(), partitions=12) for number in range(600)]
    assert set(range(12)) == set(chosen)
