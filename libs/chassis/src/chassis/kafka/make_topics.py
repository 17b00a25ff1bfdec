"""`python -m chassis.kafka.make_topics`: make the topics that the contracts name, and change what differs.

Deletes nothing, and leaves topics that the contracts do not name alone. Safe to repeat. Ends with 1 where something is
left that only a person can decide, after everything else was done.
"""

import asyncio
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from chassis.kafka.kafka import connection
from chassis.kafka.topic_plan import Change, Durability, FoundTopic, change_of, wanted_configs
from chassis.process.settings import ServiceSettings
from chassis.process.startup import prepare_process
from contracts.topics import ALL_TOPICS, Topic

WAIT_SECONDS: Final = 60.0
OF_THE_TOPIC: Final = 1
"""Kafka's word for the source of a value that is set on the topic itself (DYNAMIC_TOPIC_CONFIG)."""


async def plan(admin: AIOKafkaAdminClient, topics: Iterable[Topic], durability: Durability) -> list[Change]:
    """Compare the broker's topics with `topics`. Raises KafkaError where it does not answer or this user may not."""
    found = await _found(admin, [topic.name for topic in topics])
    return [change_of(topic, found.get(topic.name), durability) for topic in topics]


async def apply(admin: AIOKafkaAdminClient, changes: Iterable[Change], durability: Durability) -> None:
    """Carry out what `plan` returned. What another run has made meanwhile is left to the next. Raises KafkaError."""
    changes = list(changes)
    new = [_new_topic(change.topic, durability) for change in changes if change.create]
    if new:
        _raise_first((await admin.create_topics(new)).topic_errors, ignoring=TopicAlreadyExistsError)
    there = [change for change in changes if not change.create]
    grown = {one.topic.name: NewPartitions(one.topic.partitions) for one in there if one.grows_from}
    if grown:
        await admin.create_partitions(grown)
    if different := [change for change in there if change.configs]:
        await _configure(admin, different)


async def _configure(admin: AIOKafkaAdminClient, changes: Sequence[Change]) -> None:
    """Set what differs. The request replaces all that is set on a topic: what somebody else set goes with it again."""
    found = await _found(admin, [change.topic.name for change in changes])
    resources = [
        ConfigResource(
            ConfigResourceType.TOPIC,
            change.topic.name,
            {**found[change.topic.name].overrides, **{key: new for key, (_, new) in change.configs.items()}},
        )
        for change in changes
    ]
    for answer in await admin.alter_configs(resources):
        _raise_first([(name, code, text) for code, text, _, name in answer.resources])


async def _found(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, FoundTopic]:
    """Return those of `names` that exist. All topics are asked for: a question by name could make one."""
    described = {topic["topic"]: topic for topic in await admin.describe_topics() if topic["topic"] in names}
    configs: dict[str, list[Any]] = {}
    if described:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in described]
        for answer in await admin.describe_configs(resources):
            _raise_first([(name, code, text) for code, text, _, name, _ in answer.resources])
            configs.update({name: entries for _, _, _, name, entries in answer.resources})
    return {name: _topic(described[name]["partitions"], entries) for name, entries in configs.items()}


def _topic(partitions: Sequence[Mapping[str, Any]], entries: Iterable[Sequence[Any]]) -> FoundTopic:
    values = [(name, value, source) for name, value, _, source, *_ in entries if value is not None]
    return FoundTopic(
        partitions=len(partitions),
        replication=min(len(partition["replicas"]) for partition in partitions),
        configs={name: value for name, value, _ in values},
        overrides={name: value for name, value, source in values if source == OF_THE_TOPIC},
    )


def _new_topic(topic: Topic, durability: Durability) -> NewTopic:
    configs = wanted_configs(topic, durability)
    return NewTopic(topic.name, topic.partitions, durability.replication, topic_configs=configs)


def _raise_first(answers: Iterable[tuple[str, int, str]], *, ignoring: type[KafkaError] | None = None) -> None:
    for name, code, text in answers:
        error = for_code(code)
        if code and error is not ignoring:
            raise error(f"{name}: {text or error.description}")


@asynccontextmanager
async def connected_admin(settings: ServiceSettings, *, wait: float) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connect, for up to `wait` seconds where no broker answers yet. Raises KafkaError after that."""
    until = time.monotonic() + wait
    while True:
        admin = AIOKafkaAdminClient(**connection(settings))
        try:
            await admin.start()
            break
        except (KafkaError, OSError):
            await admin.close()
            if time.monotonic() > until:
                raise
            await asyncio.sleep(1)
    try:
        yield admin
    finally:
        await admin.close()


async def make_topics(given: Namespace, settings: ServiceSettings, topics: Sequence[Topic] = ALL_TOPICS) -> int:
    """Print what is changed, or would be, and what is refused; return the exit status."""
    durability = Durability(replication=given.replication, min_insync=given.min_insync)
    async with connected_admin(settings, wait=given.wait) as admin:
        changes = await plan(admin, topics, durability)
        if not given.dry_run:
            await apply(admin, changes, durability)
    done = [f"{'would ' if given.dry_run else ''}{sentence}" for change in changes for sentence in change.sentences]
    print(*(done or ["nothing to change"]), sep="\n")
    refused = [sentence for change in changes for sentence in change.refused]
    print(*refused, sep="\n", end="\n" if refused else "", file=sys.stderr)
    return 1 if refused else 0


def options(words: Sequence[str]) -> Namespace:
    """Read the command line. Exits with 2 for numbers that contradict each other."""
    parser = ArgumentParser(prog="python -m chassis.kafka.make_topics", description=__doc__, allow_abbrev=False)
    parser.add_argument("--replication", type=int, default=3, help="brokers that keep each record")
    parser.add_argument("--min-insync", type=int, default=2, help="of these, how many have it before it is written")
    parser.add_argument("--wait", type=float, default=WAIT_SECONDS, metavar="SECONDS", help="for a broker that starts")
    parser.add_argument("--dry-run", action="store_true", help="say what would be changed, and change nothing")
    given = parser.parse_args(words)
    try:
        Durability(replication=given.replication, min_insync=given.min_insync)
    except ValueError as error:
        parser.error(str(error))
    return given


def main(words: Sequence[str]) -> int:
    """Make the topics; return the exit status, 2 where Kafka does not answer or refuses."""
    given = options(words)
    settings = prepare_process(ServiceSettings, service="topics")
    try:
        return asyncio.run(make_topics(given, settings))
    except (KafkaError, OSError) as error:
        print(f"topics: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
