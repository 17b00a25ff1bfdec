"""Records of any bytes on Kafka: a header's name is bytes there, which no client of Python's lets one choose."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy


@dataclass(frozen=True, kw_only=True)
class AnyRecord:
    """What somebody puts on a topic."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[bytes, bytes | None]]


class _Bytes(str):
    """A header's name for aiokafka's builder in pure Python, which asks it for its bytes."""

    raw: bytes

    @classmethod
    def of(cls, raw: bytes) -> Self:
        name = cls(repr(raw))
        name.raw = raw
        return name

    def encode(self, *_: Any, **__: Any) -> bytes:
        return self.raw


class AnyProducer:
    """Sends records to one partition, in one batch, in their order."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def partitions_of(self, topic: str) -> set[int]:
        """The numbers of those that it knows of."""
        return set(await self._producer.partitions_for(topic))

    async def send(
        self,
        topic: str,
        *records: AnyRecord,
        partition: int = 0,
        packed: Callable[[bytes], bytes] = lambda batch: batch,
    ) -> int:
        """The offset of the first of them; `packed` makes of the batch's bytes what is sent."""
        batch = self._producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(
            magic=2,
            compression_type=0,
            is_transactional=0,
            producer_id=-1,
            producer_epoch=-1,
            base_sequence=-1,
            batch_size=1 << 27,
        )
        for record in records:
            headers = [(_Bytes.of(name), value) for name, value in record.headers]
            assert batch.append(key=record.key, value=record.value, timestamp=None, headers=headers) is not None
        batch.close()
        batch._buffer = bytearray(packed(bytes(batch._build())))
        sent = await self._producer.send_batch(batch, topic, partition=partition)
        return int((await asyncio.wait_for(sent, 10)).offset)


@asynccontextmanager
async def any_producer(bootstrap: str) -> AsyncIterator[AnyProducer]:
    """Connected until the block is left."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        yield AnyProducer(producer)
