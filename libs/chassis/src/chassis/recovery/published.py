"""Reads topics without a group, from one offset to another: what a service published itself, and what it had read."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.kafka.broker_check import partitions_of
from chassis.kafka.every_record import read_every_record
from chassis.kafka.kafka import connection
from chassis.process.settings import ServiceSettings
from chassis.recovery.epochs import Stretch

START_SECONDS: Final = 25.0
ANSWER_SECONDS: Final = 15.0
STILL_SECONDS: Final = 30.0
"""So long may a stretch bring nothing before that is a fault."""
STOP_SECONDS: Final = 5.0
POLL_MS: Final = 500
FETCH_MS: Final = 200
AT_ONCE: Final = 500
"""Records."""
Ends = Mapping[tuple[str, int], int]
"""By topic and partition, the offset of the next record that will be written."""


class PublishedRecords:
    """Opened for one reading; raises KafkaError or TimeoutError where Kafka does not answer."""

    def __init__(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = partitions

    async def first(self) -> Ends:
        """Return the offset of each partition's oldest record: what was before is deleted, or was compacted away."""
        return await self._answered(self._consumer.beginning_offsets(self._partitions))

    async def ends(self) -> Ends:
        """Return where each partition ends."""
        return await self._answered(self._consumer.end_offsets(self._partitions))

    async def whole(self) -> Sequence[Stretch]:
        """Return all that there is now."""
        first, ends = await self.first(), await self.ends()
        return [Stretch(*place, first[place], end) for place, end in ends.items() if first[place] < end]

    async def since(self, at: datetime) -> Sequence[Stretch]:
        """Return what was written at `at` or later, as its records say; nothing where nothing was."""
        asked = {place: int(at.timestamp() * 1000) for place in self._partitions}
        if not asked:
            return []
        async with asyncio.timeout(ANSWER_SECONDS):
            found = await self._consumer.offsets_for_times(asked)
        ends = await self.ends()
        firsts = {(place.topic, place.partition): one.offset for place, one in found.items() if one is not None}
        return [Stretch(*place, first, ends[place]) for place, first in firsts.items() if first < ends[place]]

    async def read(self, stretches: Collection[Stretch]) -> AsyncIterator[Sequence[Any]]:
        """Yield the records of `stretches`, AT_ONCE at most; those of a partition in their order."""
        ends = {TopicPartition(one.topic, one.partition): one.end for one in stretches}
        self._consumer.assign(list(ends))
        for one in stretches:
            self._consumer.seek(TopicPartition(one.topic, one.partition), one.first)
        while await self._is_before(ends):
            async with asyncio.timeout(STILL_SECONDS):
                while not (batches := await self._consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)):
                    if not await self._is_before(ends):
                        return
            yield [record for place, batch in batches.items() for record in batch if record.offset < ends[place]]

    async def _is_before(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Return whether any partition is not read to its end; positions pass over what was compacted away."""
        return any([await self._consumer.position(place) < end for place, end in ends.items()])

    async def _answered(self, asked: Any) -> Ends:
        if not self._partitions:
            asked.close()
            return {}
        async with asyncio.timeout(ANSWER_SECONDS):
            return {(place.topic, place.partition): offset for place, offset in (await asked).items()}


@asynccontextmanager
async def published_records(settings: ServiceSettings, topics: Collection[str]) -> AsyncIterator[PublishedRecords]:
    """Open those of `topics` that exist: to ask for one that does not could make it."""
    async with asyncio.timeout(START_SECONDS):
        numbers = await partitions_of(settings, topics)
    places = [TopicPartition(topic, number) for topic in sorted(numbers) for number in sorted(numbers[topic])]
    read_every_record()
    consumer = AIOKafkaConsumer(
        **connection(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_MS,
        request_timeout_ms=10_000,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            await consumer.start()
        consumer.assign(places)
        yield PublishedRecords(consumer, places)
    finally:
        with suppress(Exception):
            await asyncio.wait_for(consumer.stop(), STOP_SECONDS)
