"""The AsyncAPI document is what the code says, is AsyncAPI, and every reference in it leads somewhere."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator

from contracts import ALL_TOPICS, FACTS, TOPICS, Fact, Topic, asyncapi, schemas, seal

DOCUMENT: dict[str, Any] = json.loads(asyncapi.FILE.read_text())


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def at(reference: str) -> Any:
    here: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        here = here[step]
    return here


def test_the_committed_document_is_what_the_code_says(tmp_path: Path) -> None:
    assert not asyncapi.is_stale(), "python -m contracts.asyncapi"
    assert asyncapi.is_stale(tmp_path / "missing.json")


def test_it_is_asyncapi() -> None:
    """By the models of a library that writes such documents itself."""
    read = ApplicationSchema.model_validate(DOCUMENT)

    assert set(read.channels) == {topic.name for topic in ALL_TOPICS}
    assert set(read.components.messages or {} if read.components else {}) == set(FACTS)


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        if reference.startswith("./"):
            assert (schemas.ROOT / reference).is_file()
        else:
            assert at(reference)


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.name)
def test_a_channel_shows_its_topics_facts_and_how_it_is_kept(topic: Topic) -> None:
    channel = DOCUMENT["channels"][topic.name]

    kafka = channel["bindings"]["kafka"]
    assert set(channel["messages"]) == {fact.TYPE for fact, where in TOPICS.items() if where is topic}
    assert (kafka["partitions"], kafka["topicConfiguration"]) == (
        topic.partitions,
        {"cleanup.policy": [topic.cleanup_policy], "retention.ms": topic.retention_ms},
    )


@pytest.mark.parametrize("name", FACTS)
def test_a_messages_headers_are_those_that_we_send(name: str) -> None:
    """And its example is a body of its schema."""
    fact = FACTS[name].model_validate(DOCUMENT["components"]["messages"][name]["examples"][0]["payload"])
    sent = {key: value.decode() for key, value in _headers(fact)}

    Draft202012Validator(DOCUMENT["components"]["schemas"]["headers"]).validate(sent)
    assert sent["ce_type"] == DOCUMENT["components"]["messages"][name]["name"]


def _headers(fact: Fact) -> list[tuple[str, bytes]]:
    return seal(fact, occurred_at=datetime(2026, 3, 4, tzinfo=UTC)).to_headers()
