"""The command that makes Kafka's topics, on a real broker: it changes what differs, and takes nothing away."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis.kafka.make_topics import make_topics, options
from chassis.process.settings import ServiceSettings
from contracts.topics import ALL_TOPICS, Topic

ONE_BROKER = ["--replication=1", "--min-insync=1"]


@pytest.fixture
def topic() -> Topic:
    """A topic that nobody else has."""
    return Topic(
        name=f"made.{uuid.uuid4().hex}.v1", key="any", owner="nobody", retention=timedelta(days=7), partitions=3
    )


@pytest.fixture
async def admin(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
def settings(kafka_bootstrap: str) -> ServiceSettings:
    return ServiceSettings(app_env="testing", kafka_bootstrap_servers=kafka_bootstrap)


async def config(admin: AIOKafkaAdminClient, name: str) -> dict[str, str]:
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    [(_, _, _, _, entries)] = answer.resources
    return {entry[0]: entry[1] for entry in entries}


async def partitions(admin: AIOKafkaAdminClient, name: str) -> int:
    [described] = [one for one in await admin.describe_topics() if one["topic"] == name]
    return len(described["partitions"])


async def until_there(admin: AIOKafkaAdminClient, name: str, number: int) -> None:
    """A broker answers before what was made is in all of its metadata."""
    async with asyncio.timeout(60):
        while name not in await admin.list_topics() or await partitions(admin, name) != number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_topic_is_made_as_the_contracts_say_and_the_second_run_finds_nothing_to_do(
    settings: ServiceSettings, admin: AIOKafkaAdminClient, topic: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await make_topics(options(ONE_BROKER), settings, [topic]) == 0
    await until_there(admin, topic.name, 3)
    made = await config(admin, topic.name)
    assert f"{topic.name}: create with 3 partitions" in capsys.readouterr().out

    assert await make_topics(options(ONE_BROKER), settings, [topic]) == 0

    assert capsys.readouterr().out == "nothing to change\n"
    assert (
        made["cleanup.policy"],
        made["retention.ms"],
        made["min.insync.replicas"],
    ) == ("delete", "604800000", "1")


async def test_what_somebody_changed_comes_back_and_what_the_contracts_do_not_name_stays(
    settings: ServiceSettings, admin: AIOKafkaAdminClient, topic: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_topics(options(ONE_BROKER), settings, [topic])
    await until_there(admin, topic.name, 3)
    by_hand = {"retention.ms": "1000", "cleanup.policy": "compact", "max.message.bytes": "2000000"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, by_hand)])

    assert await make_topics(options(ONE_BROKER), settings, [topic]) == 0

    after = await config(admin, topic.name)
    assert (after["cleanup.policy"], after["retention.ms"]) == ("delete", "604800000")
    assert after["max.message.bytes"] == "2000000"
    assert f"{topic.name}: retention.ms 1000 -> 604800000" in capsys.readouterr().out


async def test_partitions_are_added_and_never_taken_away(
    settings: ServiceSettings, admin: AIOKafkaAdminClient, topic: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_topics(options(ONE_BROKER), settings, [topic])
    await until_there(admin, topic.name, 3)

    assert await make_topics(options(ONE_BROKER), settings, [replace(topic, partitions=5)]) == 0
    await until_there(admin, topic.name, 5)
    assert await make_topics(options(ONE_BROKER), settings, [replace(topic, partitions=2)]) == 1

    assert f"{topic.name} has 5 partitions and the contracts say 2: Kafka takes none away" in capsys.readouterr().err
    assert await partitions(admin, topic.name) == 5


async def test_what_is_refused_does_not_hold_up_the_rest(
    settings: ServiceSettings, admin: AIOKafkaAdminClient, topic: Topic
) -> None:
    other = replace(topic, name=f"{topic.name}.other")
    await make_topics(options(ONE_BROKER), settings, [topic])
    await until_there(admin, topic.name, 3)

    fewer = replace(topic, partitions=1, retention=timedelta(days=1))
    assert await make_topics(options(ONE_BROKER), settings, [fewer, other]) == 1

    await until_there(admin, other.name, 3)
    async with asyncio.timeout(60):
        while (await config(admin, topic.name))["retention.ms"] != "86400000":  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_too_few_replicas_are_named_and_left_to_an_operator(
    settings: ServiceSettings, topic: Topic, admin: AIOKafkaAdminClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_topics(options(ONE_BROKER), settings, [topic])
    await until_there(admin, topic.name, 3)

    assert await make_topics(options(["--replication=3", "--min-insync=1"]), settings, [topic]) == 1

    assert f"{topic.name} has 1 replicas and 3 are wanted" in capsys.readouterr().err


async def test_a_topic_of_somebody_else_is_left_alone(
    settings: ServiceSettings, admin: AIOKafkaAdminClient, topic: Topic
) -> None:
    foreign = f"foreign.{uuid.uuid4().hex}"
    await admin.create_topics([NewTopic(foreign, 2, 1, topic_configs={"retention.ms": "12345"})])
    await until_there(admin, foreign, 2)

    await make_topics(options(ONE_BROKER), settings, [topic])

    assert ((await config(admin, foreign))["retention.ms"], await partitions(admin, foreign)) == ("12345", 2)


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    settings: ServiceSettings, admin: AIOKafkaAdminClient, topic: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await make_topics(options([*ONE_BROKER, "--dry-run"]), settings, [topic]) == 0

    assert f"would {topic.name}: create" in capsys.readouterr().out
    assert topic.name not in await admin.list_topics()


async def test_two_at_once_make_it_once(settings: ServiceSettings, admin: AIOKafkaAdminClient, topic: Topic) -> None:
    both = [make_topics(options(ONE_BROKER), settings, [topic]) for _ in range(2)]

    assert await asyncio.gather(*both) == [0, 0]
    await until_there(admin, topic.name, 3)


async def test_the_command_brings_the_topics_of_the_contracts_and_says_where_it_cannot(
    kafka_bootstrap: str, admin: AIOKafkaAdminClient
) -> None:
    name = ALL_TOPICS[0].name
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"retention.ms": "1000"})])
    command = [sys.executable, "-m", "chassis.kafka.make_topics", *ONE_BROKER]

    first = run(command, kafka_bootstrap)
    second = run(command, kafka_bootstrap)
    nowhere = run([*command, "--wait=0"], "127.0.0.1:9")

    assert (first.returncode, f"{name}: retention.ms 1000 -> 604800000" in first.stdout) == (0, True), first.stderr
    assert (second.returncode, second.stdout) == (0, "nothing to change\n"), second.stderr
    assert (nowhere.returncode, nowhere.stderr.rstrip().splitlines()[-1].startswith("topics: ")) == (2, True)


def run(command: list[str], bootstrap: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "APP_ENV": "testing"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_numbers_that_contradict_each_other_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options(["--replication=1", "--min-insync=2"])

    assert ended.value.code == 2
    assert "min.insync.replicas is at least 1" in capsys.readouterr().err
