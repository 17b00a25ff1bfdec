"""What was sent is kept as it was, goes out again under its own id, and goes once Kafka would not have it either."""

from datetime import timedelta

import pytest
from sqlalchemy import MetaData, text

from chassis.database.tables import sent_facts_table
from chassis.outbox.relay import Relay
from chassis.process.health import Health
from chassis.recovery.published import published_records
from chassis.replay import sent_facts
from tests.integration.chassis_data.test_message_path import TOPIC, Path, addon_state, path, until

__all__ = ["path"]


@pytest.fixture
async def keeping(path: Path) -> Path:
    metadata = MetaData()
    sent_facts_table(metadata)
    async with path.database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    return path


async def relayed(path: Path) -> None:
    """Run the relay until nothing waits."""

    async def nothing_waits() -> bool:
        return await path.count("select count(*) from outbox") == 0

    relay = Relay(database=path.database, settings=path.settings, health=Health(), keeps=[TOPIC])
    async with relay.running():
        await until(nothing_waits, seconds=60)


async def on_kafka(path: Path) -> list[tuple[bytes, bytes]]:
    """Return id and body of each of this test's records, as they lie in their partitions."""
    found = []
    async with published_records(path.settings, [TOPIC]) as records:
        async for batch in records.read(await records.whole()):
            for record in batch:
                if dict(record.headers).get("ce_id") in {str(one).encode() for one in path.ids}:
                    found.append((dict(record.headers)["ce_id"], record.value))
    return found


async def test_what_is_sent_again_has_its_bytes_and_its_id_and_is_kept_once(keeping: Path) -> None:
    await keeping.given_published(*(addon_state() for _ in range(20)))
    await relayed(keeping)
    first = await on_kafka(keeping)

    assert await sent_facts.send_again(keeping.database, since=timedelta(hours=1)) == 20
    await relayed(keeping)

    again = await on_kafka(keeping)
    assert len(first) == 20
    assert sorted(again) == sorted(first * 2)
    assert await keeping.count("select count(*) from sent_facts") == 20


async def test_what_was_sent_before_the_stretch_is_left_alone(keeping: Path) -> None:
    await keeping.given_published(addon_state(), addon_state())
    await relayed(keeping)
    await _age(keeping, "2 hours")

    assert await sent_facts.send_again(keeping.database, since=timedelta(hours=1)) == 0
    assert await keeping.count("select count(*) from outbox") == 0


async def test_it_goes_after_thirty_days(keeping: Path) -> None:
    await keeping.given_published(addon_state(), addon_state())
    await relayed(keeping)
    await _age(keeping, "29 days")
    async with keeping.database.transaction() as session:
        assert await sent_facts.prune(session, timedelta(0), 500) == 0

    await _age(keeping, "2 days")
    async with keeping.database.transaction() as session:
        assert await sent_facts.prune(session, timedelta(0), 500) == 2


async def _age(path: Path, by: str) -> None:
    async with path.database.transaction() as session:
        await session.execute(text(f"update sent_facts set sent_at = sent_at - interval '{by}'"))
