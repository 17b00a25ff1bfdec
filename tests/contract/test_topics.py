"""TOPICS is complete: every fact has a topic, a schema and an example, every topic an owner and twelve partitions."""

from pathlib import Path

import pytest

from contracts import ALL_TOPICS, FACTS, TOPICS, Fact, Topic, schemas

ROOT = Path(schemas.__file__).parents[3]
CONTRACTS = ROOT / "contracts"
SERVICES = {path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml")}


def concrete_facts(fact: type[Fact] = Fact) -> set[type[Fact]]:
    below = {found for child in fact.__subclasses__() for found in concrete_facts(child)}
    is_ours = "TYPE" in vars(fact) and fact.__module__.startswith("contracts.")
    return below | ({fact} if is_ours else set())


def test_every_fact_that_is_defined_has_a_topic() -> None:
    assert concrete_facts() == set(TOPICS)


def test_no_two_facts_share_a_type() -> None:
    assert len(TOPICS) == len(FACTS)


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.name)
def test_a_topic_has_a_service_as_owner_and_twelve_partitions(topic: Topic) -> None:
    assert topic.owner in SERVICES
    assert topic.partitions == 12


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.name)
def test_only_topics_of_whole_states_are_compacted(topic: Topic) -> None:
    """Compaction keeps the last fact of a key, which is enough only where each fact is the whole state."""
    assert (".state." in topic.name) == topic.cleanup_policy.startswith("compact")


@pytest.mark.parametrize("fact", TOPICS, ids=lambda fact: fact.TYPE)
def test_a_type_names_its_version(fact: type[Fact]) -> None:
    prefix, _, version = fact.TYPE.rpartition(".v")

    assert prefix.startswith("billing.")
    assert version.isdigit()


@pytest.mark.parametrize("folder", ["schemas", "examples"])
def test_there_is_one_file_per_fact_and_no_other(folder: str) -> None:
    assert {f"{name}.json" for name in FACTS} == {path.name for path in (CONTRACTS / folder).iterdir()}
