"""The committed descriptions of the APIs are what the code says, and say all that a client needs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

import catalog.openapi
import purchases.openapi
import webhook_gateway.openapi
from chassis.problems import MEDIA_TYPE, PROBLEM_BASE
from chassis.web.openapi import document_text

Json = dict[str, Any]
WRITERS: Final = {
    "catalog": catalog.openapi,
    "purchases": purchases.openapi,
    "webhook_gateway": webhook_gateway.openapi,
}
DOCUMENTS: Final[Mapping[str, Json]] = {name: json.loads(one.FILE.read_text()) for name, one in WRITERS.items()}
PUBLIC: Final = {"list_active_addons", "list_plans", "about", "receive_webhook", "receive_webhook_by_alias"}
"""Open to everyone, or proven by a signature over the body instead of a token."""
STRIPES: Final = {"receive_webhook", "receive_webhook_by_alias"}
"""Their bodies are Stripe's, which adds members as it likes."""
EVERY_MEMBER: Final = {"get_billing"}
"""For every role there is: who is no member finds nothing."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, and the document that its references lead into."""

    service: str
    documented: Json

    def schema(self, content: Json) -> Json:
        """The schema of a content, or the component that it refers to."""
        documented: Json = content["application/json"]["schema"]
        schema: Json = documented.get("anyOf", [documented])[0]  # a body that may be left out is one or null
        components: Json = DOCUMENTS[self.service]["components"]["schemas"]
        named: Json = components.get(schema.get("$ref", "").rpartition("/")[2], schema)
        return named

    def problems(self) -> Iterator[tuple[str, Json]]:
        """Each documented problem, with its status."""
        for status, answer in self.documented["responses"].items():
            if MEDIA_TYPE in answer.get("content", {}) and status.isdigit():
                yield status, answer["content"][MEDIA_TYPE]


OPERATIONS: Final = {
    f"{service}: {method.upper()} {path}": Operation(service, documented)
    for service, document in DOCUMENTS.items()
    for path, methods in document["paths"].items()
    for method, documented in methods.items()
}
SCHEMAS: Final = [(name, schema) for name, one in DOCUMENTS.items() for schema in one["components"]["schemas"]]
each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))


@pytest.mark.parametrize("service", WRITERS)
def test_the_committed_document_is_what_the_code_says(service: str) -> None:
    writer = WRITERS[service]

    assert writer.FILE.read_text() == document_text(writer.described_app()), f"python -m {service}.openapi"


def test_every_operation_has_an_id_of_its_own_and_says_what_it_does() -> None:
    ids = [operation.documented["operationId"] for operation in OPERATIONS.values()]

    assert len(ids) == len(set(ids))
    assert all(one == one.lower() for one in ids)
    assert all(operation.documented["description"] for operation in OPERATIONS.values())


@each_operation
def test_every_refusal_is_documented(operation: Operation) -> None:
    statuses = set(operation.documented["responses"])
    is_secured = operation.documented["operationId"] not in PUBLIC
    is_for_some = is_secured and operation.documented["operationId"] not in EVERY_MEMBER

    assert {"4XX", "5XX"} <= statuses
    assert ("401" in statuses) == bool(operation.documented.get("security")) == is_secured
    assert "403" in statuses or not is_for_some


@each_operation
def test_problems_name_their_types_and_show_each(operation: Operation) -> None:
    for status, content in operation.problems():
        types = content["schema"]["properties"]["type"]["enum"]
        examples = [example["value"] for example in content["examples"].values()]
        assert types == [example["type"] for example in examples]
        assert all(one.startswith(PROBLEM_BASE) for one in types)
        assert {int(status)} == {example["status"] for example in examples}
        for example in examples:
            Draft202012Validator(content["schema"]).validate(example)


@pytest.mark.parametrize(("service", "name"), SCHEMAS, ids=[f"{service}: {name}" for service, name in SCHEMAS])
def test_examples_are_what_their_schema_says(service: str, name: str) -> None:
    document = DOCUMENTS[service]
    schema = document["components"]["schemas"][name]

    for example in schema.get("examples", ()):
        validator = Draft202012Validator({"components": document["components"]} | schema)
        validator.validate(example)


@each_operation
def test_bodies_that_are_taken_have_an_example_and_are_strict(operation: Operation) -> None:
    if "requestBody" in operation.documented:
        schema = operation.schema(operation.documented["requestBody"]["content"])
        assert schema["examples"]
        assert schema["additionalProperties"] is (operation.documented["operationId"] in STRIPES)


@each_operation
def test_answers_have_an_example(operation: Operation) -> None:
    for status, answer in operation.documented["responses"].items():
        if status.startswith("2") and "content" in answer:
            assert operation.schema(answer["content"])["examples"]
