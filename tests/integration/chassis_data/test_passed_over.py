"""Facts that are not applied leave a trace: of an unknown type or version, or under an id that had another body."""

import uuid

from structlog.testing import capture_logs

from chassis.process import metrics
from tests.integration.chassis_data.any_bytes import any_producer
from tests.integration.chassis_data.test_any_bytes import TOPIC, of_type, sealed
from tests.integration.chassis_data.test_message_path import Path, _equals, addon_state, path, until

__all__ = ["path"]


async def test_a_fact_of_an_unknown_version_is_counted_and_said(path: Path) -> None:
    behind = addon_state()
    path.ids.add(behind.id)
    newer = f"billing.addon.state.v{uuid.uuid4().int}"
    with capture_logs() as lines:
        async with any_producer(path.settings.kafka_bootstrap_servers) as producer, path.running():
            await producer.send(TOPIC, of_type(newer, b"{}"), sealed(behind))
            await until(lambda: _equals(path.effects(), 1))

    [said] = [line for line in lines if line["event"] == "facts_unknown" and line["type"] == newer]
    assert (said["log_level"], said["count"]) == ("warning", 1)
    assert metrics.FACTS_UNKNOWN.labels(path.group, TOPIC)._value.get() >= 1


async def test_an_id_that_comes_again_with_another_body_is_counted_and_said_and_the_same_body_is_not(
    path: Path,
) -> None:
    first, other, behind = addon_state(), addon_state(), addon_state()
    path.ids |= {first.id, behind.id}
    with capture_logs() as lines:
        async with any_producer(path.settings.kafka_bootstrap_servers) as producer, path.running():
            await producer.send(TOPIC, sealed(first))
            await until(lambda: _equals(path.effects(), 1))
            await producer.send(TOPIC, sealed(first), sealed(other, ce_id=str(first.id).encode()), sealed(behind))
            await until(lambda: _equals(path.effects(), 2))

    said = [line for line in lines if line["event"] == "fact_id_reused" and line["fact_id"] == str(first.id)]
    assert len(said) == 1
    # Other tests leave such facts on the topic, too: each that was said is counted.
    every = [line for line in lines if line["event"] == "fact_id_reused" and line["consumer"] == path.group]
    assert metrics.FACT_IDS_REUSED.labels(path.group)._value.get() == len(every)


async def test_what_a_backfill_brings_first_is_counted_once_and_its_other_body_is_no_reused_id(path: Path) -> None:
    """A backfill renders anew what a webhook brought, in another version of Stripe's; the inbox drops it by its id."""
    lost, known, behind = addon_state(), addon_state(), addon_state()
    path.ids |= {lost.id, known.id, behind.id}
    again = {"ce_backfilled": b"true", "ce_time": b"2026-01-01T00:00:00Z"}
    with capture_logs() as lines:
        async with any_producer(path.settings.kafka_bootstrap_servers) as producer, path.running():
            await producer.send(TOPIC, sealed(known))
            await until(lambda: _equals(path.effects(), 1))
            await producer.send(TOPIC, sealed(addon_state(), **again, ce_id=str(known.id).encode()))
            await producer.send(TOPIC, sealed(lost, **again), sealed(lost, **again), sealed(behind))
            await until(lambda: _equals(path.effects(), 3))

    said = [line["fact_id"] for line in lines if line["event"] == "backfill_missed"]
    assert said == [str(lost.id)]
    assert metrics.FACTS_MISSED.labels(path.group)._value.get() == 1
    assert [line for line in lines if line["event"] == "fact_id_reused" and line["fact_id"] == str(known.id)] == []
