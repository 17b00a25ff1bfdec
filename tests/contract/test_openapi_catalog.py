"""The committed description of the catalog is what the code says, and says all that a client needs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catalog.openapi import FILE, described_app
from chassis.openapi import document_text
from chassis.problems import MEDIA_TYPE, PROBLEM_BASE

DOCUMENT: dict[str, Any] = json.loads(FILE.read_text())
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
PUBLIC = {"list_active_addons", "list_plans"}
each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema`, able to follow its references into the document."""
    return {"components": DOCUMENT["components"]} | schema


def named(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, or the one that it refers to."""
    component: dict[str, Any] = DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return component


def answers(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each documented problem of one operation, with its status."""
    for status, answer in operation["responses"].items():
        if MEDIA_TYPE in answer.get("content", {}) and status.isdigit():
            yield status, answer["content"][MEDIA_TYPE]


def test_the_committed_document_is_what_the_code_says() -> None:
    assert FILE.read_text() == document_text(described_app()), "python -m catalog.openapi"


def test_every_operation_has_an_id_of_its_own_and_says_what_it_does() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(ids) == len(set(ids))
    assert all(operation["description"] for operation in OPERATIONS.values())


@each_operation
def test_whoever_may_be_refused_is_told_so(operation: dict[str, Any]) -> None:
    statuses = set(operation["responses"])

    assert {"4XX", "5XX"} <= statuses
    assert ({"401", "403"} <= statuses) == bool(operation.get("security")) == (operation["operationId"] not in PUBLIC)


@each_operation
def test_problems_name_their_types_and_show_each(operation: dict[str, Any]) -> None:
    for status, content in answers(operation):
        types = content["schema"]["properties"]["type"]["enum"]
        examples = [example["value"] for example in content["examples"].values()]
        assert types == [example["type"] for example in examples]
        assert all(one.startswith(PROBLEM_BASE) for one in types)
        assert {int(status)} == {example["status"] for example in examples}
        for example in examples:
            Draft202012Validator(content["schema"]).validate(example)


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_examples_are_what_their_schema_says(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]

    for example in schema.get("examples", ()):
        Draft202012Validator(resolved(schema)).validate(example)


@each_operation
def test_bodies_that_are_taken_have_an_example_and_are_strict(operation: dict[str, Any]) -> None:
    if "requestBody" in operation:
        schema = named(operation["requestBody"]["content"]["application/json"]["schema"])
        assert schema["examples"]
        assert schema["additionalProperties"] is False


@each_operation
def test_answers_have_an_example(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        if status.startswith("2") and "content" in answer:
            schema = named(answer["content"]["application/json"]["schema"])
            assert schema["examples"]
