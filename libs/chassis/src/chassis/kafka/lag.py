"""How far a group is behind: of each partition that is read here, the end of its log less the committed offset."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final

from chassis.process import metrics

ASK_SECONDS: Final = 2.0


class Lag:
    """The gauge of one consumer. What was fetched and is not committed is behind: a batch at hand may come again."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._exported: set[Any] = set()

    async def export(self, consumer: Any) -> None:
        """Ask Kafka, and set the gauge of each assigned partition; one that was given up is no series any more.

        While Kafka does not answer within ASK_SECONDS the last figures stand: the end grows unseen, and never shrinks.
        """
        # Kafka says nothing of any partition while it is asked for one that is gone, with its topic say.
        assigned = {
            one for one in consumer.assignment() if one.partition in (consumer.partitions_for_topic(one.topic) or ())
        }
        self.forget(self._exported - assigned)
        with suppress(Exception):
            async with asyncio.timeout(ASK_SECONDS):
                for partition, records in (await _records_behind(consumer, assigned)).items():
                    self._gauge(partition).set(records)
                    self._exported.add(partition)

    def forget(self, partitions: Collection[Any] | None = None) -> None:
        """Remove the series of `partitions`, by default of all: others read them, or nobody does."""
        for partition in set(self._exported if partitions is None else partitions):
            metrics.CONSUMER_LAG.remove(self._group, partition.topic, str(partition.partition))
            self._exported.discard(partition)

    def _gauge(self, partition: Any) -> Any:
        return metrics.CONSUMER_LAG.labels(self._group, partition.topic, str(partition.partition))


async def _records_behind(consumer: Any, partitions: Collection[Any]) -> dict[Any, int]:
    if not partitions:
        return {}
    # One request for all of them; the public `committed` asks for each alone.
    committed = await consumer._coordinator.fetch_committed_offsets(list(partitions))
    known = {partition: found.offset for partition, found in committed.items()}
    never = [partition for partition in partitions if partition not in known]
    read_to = known | (await consumer.beginning_offsets(never) if never else {})
    return {one: max(end - read_to[one], 0) for one, end in (await consumer.end_offsets(partitions)).items()}
