"""What the lag says: what is not committed, of the partitions that this process reads, and of no other."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka.records import Received
from tests.integration.chassis_data.test_message_path import TOPIC, Path, _equals, addon_state, path, until

__all__ = ["path"]


def lags(group: str) -> dict[str, float]:
    """Return the group's lag by partition, as this process exports it."""
    (family,) = (one for one in REGISTRY.collect() if one.name == "billing_consumer_lag_records")
    return {one.labels["partition"]: one.value for one in family.samples if one.labels["group"] == group}


async def test_what_is_fetched_and_not_committed_is_behind(path: Path, monkeypatch: Any) -> None:
    """Given a batch whose transaction hangs, then the lag counts it, and is 0 once it is committed."""
    before, goes_on, handle = 0.0, asyncio.Event(), path.handle

    async def hang(session: AsyncSession, batch: Sequence[Received]) -> None:
        await goes_on.wait()
        await handle(session, batch)

    async with path.running():
        await until(lambda: _is(lambda: len(lags(path.group)) == 12 and not sum(lags(path.group).values())))
    monkeypatch.setattr(path, "handle", hang)
    async with path.running():
        await until(lambda: _is(lambda: len(lags(path.group)) == 12))
        before = sum(lags(path.group).values())
        await path.given_published(*(addon_state() for _ in range(30)))

        await until(lambda: _is(lambda: sum(lags(path.group).values()) - before == 30))

        goes_on.set()
        await until(lambda: _equals(path.effects(), 30))
        await until(lambda: _is(lambda: sum(lags(path.group).values()) == 0))


async def test_a_partition_that_another_process_reads_is_no_series_here(path: Path) -> None:
    """Given a second member of the group, then each has its partitions' series; none after the end."""
    async with path.running():
        await until(lambda: _is(lambda: len(lags(path.group)) == 12))
        other = AIOKafkaConsumer(
            TOPIC,
            group_id=path.group,
            bootstrap_servers=path.settings.kafka_bootstrap_servers,
            enable_auto_commit=False,
        )
        await other.start()
        try:
            await until(lambda: _is(lambda: len(lags(path.group)) == 6))
            theirs = {str(one.partition) for one in other.assignment()}
            assert not theirs & set(lags(path.group))
        finally:
            await other.stop()

    assert lags(path.group) == {}


async def _is(condition: Any) -> bool:
    return bool(condition())
