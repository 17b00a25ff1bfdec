"""What has to change on a broker so that its topics are as the contracts say. Pure: a broker is asked elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """How many brokers keep a record, and how many of them have to have it before it counts as written."""

    replication: int
    min_insync: int

    def __post_init__(self) -> None:
        if not 1 <= self.min_insync <= self.replication:
            raise ValueError("min.insync.replicas is at least 1 and at most the number of replicas")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTopic:
    """A topic as a broker has it."""

    partitions: int
    replication: int
    """The fewest replicas of any partition."""
    configs: Mapping[str, str]
    """What holds for it, its own or the broker's default."""
    overrides: Mapping[str, str]
    """What is set on the topic itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What has to be done with one topic. Without anything it is as it should be."""

    topic: Topic
    create: bool = False
    grows_from: int | None = None
    configs: Mapping[str, tuple[str | None, str]]
    """By name, what holds and what should."""
    refused: tuple[str, ...] = ()
    """What only a person can decide, in a sentence each."""

    @property
    def sentences(self) -> list[str]:
        """Return what is done, in a sentence each."""
        name = self.topic.name
        if self.create:
            wanted = ", ".join(f"{key}={value}" for key, (_, value) in self.configs.items())
            return [f"{name}: create with {self.topic.partitions} partitions, {wanted}"]
        grown = [f"{name}: partitions {self.grows_from} -> {self.topic.partitions}"] if self.grows_from else []
        return [*grown, *(f"{name}: {key} {old} -> {new}" for key, (old, new) in self.configs.items())]


def wanted_configs(topic: Topic, durability: Durability) -> dict[str, str]:
    """Return what has to hold for `topic`, by Kafka's names."""
    return {
        "cleanup.policy": topic.cleanup_policy,
        "retention.ms": str(topic.retention_ms),
        "min.insync.replicas": str(durability.min_insync),
    }


def change_of(topic: Topic, found: FoundTopic | None, durability: Durability) -> Change:
    """Return what makes of what was `found` what `topic` says: never a topic or partition less than there is."""
    wanted = wanted_configs(topic, durability)
    if found is None:
        return Change(topic=topic, create=True, configs={key: (None, value) for key, value in wanted.items()})
    different = {key: (found.configs.get(key), new) for key, new in wanted.items() if found.configs.get(key) != new}
    return Change(
        topic=topic,
        grows_from=found.partitions if found.partitions < topic.partitions else None,
        configs=different,
        refused=_refusals(topic, found, durability),
    )


def _refusals(topic: Topic, found: FoundTopic, durability: Durability) -> tuple[str, ...]:
    refused = []
    if found.partitions > topic.partitions:
        refused.append(
            f"{topic.name} has {found.partitions} partitions and the contracts say {topic.partitions}: "
            "Kafka takes none away; a new version of the topic has fewer."
        )
    if found.replication != durability.replication:
        refused.append(
            f"{topic.name} has {found.replication} replicas and {durability.replication} are wanted: "
            "kafka-reassign-partitions.sh moves them, under a throttle that an operator chooses."
        )
    return tuple(refused)
