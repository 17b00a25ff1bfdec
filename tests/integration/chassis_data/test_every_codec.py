"""Facts are read whichever of Kafka's codecs their producer packs them with; a batch that cannot be unpacked is set
aside, and what stands behind it is applied.
"""

import struct
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import cramjam
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.record.util import calc_crc32c
from confluent_kafka import Producer

from chassis.kafka.unpacked import HEADER, MOST
from tests.integration.chassis_data.any_bytes import AnyRecord
from tests.integration.chassis_data.test_any_bytes import TOPIC, producer, sealed
from tests.integration.chassis_data.test_any_bytes_in_every_service import PARTITION, Running, behind, running
from tests.integration.chassis_data.test_message_path import Path, _equals, addon_state, path, until

__all__ = ["path", "producer", "running"]

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
CODECS: Final = ("gzip", "snappy", "lz4", "zstd")


async def test_a_fact_is_applied_whatever_codec_and_client_packed_it(running: Running, kafka_bootstrap: str) -> None:
    ids = set()
    for codec in CODECS:
        facts = [(topic, uuid.uuid4()) for topic in running.service.topics for _ in range(4)]
        by_python, by_c = facts[::2], facts[1::2]
        await send_with_aiokafka(kafka_bootstrap, codec, by_python)
        send_with_librdkafka(kafka_bootstrap, codec, by_c)
        ids |= {fact_id for _, fact_id in facts}

    await until(lambda: running.applied(ids))


async def send_with_aiokafka(bootstrap: str, codec: str, facts: list[tuple[str, uuid.UUID]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type=codec, linger_ms=50) as client:
        for topic, fact_id in facts:
            record = behind(topic, fact_id)
            headers = [(name.decode(), value) for name, value in record.headers]
            await client.send(topic, record.value, key=record.key, headers=headers, partition=PARTITION)


def send_with_librdkafka(bootstrap: str, codec: str, facts: list[tuple[str, uuid.UUID]]) -> None:
    client = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "linger.ms": 50})
    for topic, fact_id in facts:
        record = behind(topic, fact_id)
        headers: list[Any] = [(name.decode(), value) for name, value in record.headers]
        client.produce(topic, record.value, record.key, partition=PARTITION, headers=headers)
    assert client.flush(30) == 0


def lz4_with_a_wrong_checksum(records: bytes) -> bytes:
    """Brokers in Java never compare the checksum of a frame's content (`Lz4BlockInputStream`)."""
    compressor = cramjam.lz4.Compressor(level=1, content_checksum=True, block_linked=False)
    compressor.compress(records)
    packed = bytes(compressor.finish())
    return packed[:-4] + bytes(4)


UNREADABLE: Final[Mapping[str, tuple[int, Callable[[bytes], bytes]]]] = {
    "an lz4 frame with a wrong checksum": (LZ4, lz4_with_a_wrong_checksum),
    "more than anybody unpacks": (ZSTD, zstd_encode),
}
READABLE: Final[Mapping[str, tuple[int, Callable[[bytes], bytes]]]] = {
    "gzip": (GZIP, gzip_encode),
    "snappy in blocks": (SNAPPY, snappy_encode),
    "snappy, bare": (SNAPPY, lambda records: snappy_encode(records, xerial_compatible=False)),
    "lz4": (LZ4, lz4_encode),
    "zstd": (ZSTD, zstd_encode),
}


def packed_with(codec: int, pack: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """What makes of a plain batch a packed one, with its own length and checksum."""

    def packed(batch: bytes) -> bytes:
        records = pack(batch[HEADER:])
        tail = struct.pack(">h", codec) + batch[23:HEADER] + records
        head = batch[:8] + struct.pack(">i", HEADER - 12 + len(records)) + batch[12:17]
        return head + struct.pack(">I", calc_crc32c(tail)) + tail

    return packed


@pytest.mark.parametrize("case", UNREADABLE)
async def test_a_batch_that_cannot_be_unpacked_is_set_aside_and_the_next_is_applied(
    path: Path, producer: Any, case: str
) -> None:
    codec, pack = UNREADABLE[case]
    before, after = addon_state(), addon_state()
    path.ids |= {before.id, after.id}
    large = AnyRecord(key=b"k", value=bytes(MOST), headers=[])

    await producer.send(TOPIC, sealed(before))
    first = await producer.send(TOPIC, sealed(addon_state()), large, packed=packed_with(codec, pack))
    await producer.send(TOPIC, sealed(after))

    async with path.running():
        await until(lambda: _equals(path.effects(), 2))
        aside = f'select count(*) from parked where "partition" = 0 and "offset" = {first + 1}'
        await until(lambda: _equals(path.count(aside), 1))


@pytest.mark.parametrize("case", READABLE)
async def test_any_bytes_in_a_packed_batch_are_set_aside_one_by_one(path: Path, producer: Any, case: str) -> None:
    before, after = addon_state(), addon_state()
    path.ids |= {before.id, after.id}
    poison = AnyRecord(key=b"k", value=b"x", headers=[(b"\xff\xfe", b"1")])

    first = await producer.send(TOPIC, sealed(before), poison, sealed(after), packed=packed_with(*READABLE[case]))

    async with path.running():
        await until(lambda: _equals(path.effects(), 2))
        aside = f'select count(*) from parked where "partition" = 0 and "offset" = {first + 1}'
        await until(lambda: _equals(path.count(aside), 1))
