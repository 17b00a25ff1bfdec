"""The AsyncAPI document is what the code says, is AsyncAPI, and every reference in it leads somewhere."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator

from chassis.process.settings import ServiceSettings
from contracts import ALL_TOPICS, FACTS, TOPICS, Envelope, Fact, Topic, asyncapi, read, schemas, seal

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
    """By the models of a library that writes such documents itself; it has a `pathname` in each, which is optional."""
    servers = {name: server | {"pathname": ""} for name, server in DOCUMENT["servers"].items()}

    read = ApplicationSchema.model_validate(DOCUMENT | {"servers": servers})

    assert set(read.servers or {}) == set(servers)
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
        {"cleanup.policy": topic.cleanup_policy.split(","), "retention.ms": topic.retention_ms},
    )


def test_it_says_where_the_brokers_are_and_how_one_proves_oneself() -> None:
    """Only what is on one's own machine asks for nothing."""
    for name, server in DOCUMENT["servers"].items():
        asked = [at(one["$ref"])["type"] for one in server.get("security", ())]
        assert bool(asked) == (server["protocol"] == "kafka-secure"), name
        assert asked or server["host"].startswith("127.0.0.1:")
        assert {"{" + variable + "}" for variable in server.get("variables", ())} == set(
            re.findall(r"{\w+}", server["host"])
        )


@pytest.mark.parametrize("mechanism", get_args(ServiceSettings.model_fields["kafka_security_mechanism"].annotation))
def test_every_way_that_the_services_can_prove_themselves_is_there(mechanism: str) -> None:
    assert any(mechanism in one["description"] for one in DOCUMENT["components"]["securitySchemes"].values())


@pytest.mark.parametrize("name", FACTS)
def test_an_example_is_a_whole_record(name: str) -> None:
    """Its headers, as FastStream would give them, and its payload are read as the record's would be."""
    [example] = DOCUMENT["components"]["messages"][name]["examples"]

    envelope = Envelope.from_headers(example["headers"])
    fact = read(type=envelope.type, value=json.dumps(example["payload"]))

    assert (envelope.type, envelope.id, envelope.subject) == (name, fact.id, fact.subject)


@pytest.mark.parametrize("name", FACTS)
def test_a_messages_headers_are_those_that_we_send(name: str) -> None:
    """And its example is a body of its schema."""
    fact = FACTS[name].model_validate(DOCUMENT["components"]["messages"][name]["examples"][0]["payload"])
    sent = {key: value.decode() for key, value in _headers(fact)}

    Draft202012Validator(DOCUMENT["components"]["schemas"]["headers"]).validate(sent)
    assert sent["ce_type"] == DOCUMENT["components"]["messages"][name]["name"]


def _headers(fact: Fact) -> list[tuple[str, bytes]]:
    return seal(fact, occurred_at=datetime(2026, 3, 4, tzinfo=UTC)).to_headers()
