"""Schemas, examples and models say the same of every fact."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from contracts import FACTS, Fact, read, schemas

MAPS = {"caps"}
"""Members whose keys are data: another key there says something, and is no later version's."""
each_fact = pytest.mark.parametrize("fact", FACTS.values(), ids=list(FACTS))


def committed(folder: str, fact: type[Fact]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((schemas.ROOT / folder / f"{fact.TYPE}.json").read_text())
    return body


def validate(body: dict[str, Any], fact: type[Fact]) -> None:
    validator = Draft202012Validator(committed("schemas", fact), format_checker=Draft202012Validator.FORMAT_CHECKER)
    validator.validate(body)


def test_the_committed_schemas_are_what_the_code_says() -> None:
    assert schemas.stale() == []


def test_a_changed_schema_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    schemas.write(root=tmp_path)
    (tmp_path / "schemas" / "billing.addon.state.v1.json").write_text("{}\n")
    (tmp_path / "schemas" / "billing.purchase.paid.v1.json").unlink()

    assert {"billing.addon.state.v1", "billing.purchase.paid.v1"} == set(schemas.stale(root=tmp_path))


@each_fact
def test_a_schema_is_a_valid_schema(fact: type[Fact]) -> None:
    Draft202012Validator.check_schema(committed("schemas", fact))


@each_fact
def test_the_example_fits_the_schema(fact: type[Fact]) -> None:
    validate(committed("examples", fact), fact)


@each_fact
def test_the_example_is_exactly_what_the_model_sends(fact: type[Fact]) -> None:
    example = committed("examples", fact)

    parsed = read(type=fact.TYPE, value=json.dumps(example).encode())

    assert isinstance(parsed, fact)
    assert example == json.loads(parsed.model_dump_json())


@each_fact
def test_a_consumer_ignores_a_key_that_it_does_not_know(fact: type[Fact]) -> None:
    example = committed("examples", fact)

    parsed = fact.model_validate(_with_unknown_keys(example))

    assert parsed == fact.model_validate(example)


@each_fact
def test_a_producer_cannot_send_a_key_that_the_schema_does_not_know(fact: type[Fact]) -> None:
    with pytest.raises(ValidationError, match="added_later"):
        validate(committed("examples", fact) | {"added_later": True}, fact)


@each_fact
def test_objects_inside_a_fact_are_closed_too(fact: type[Fact]) -> None:
    schema = schemas.schema_of(fact)

    assert {False} == {part["additionalProperties"] for part in [schema, *schema.get("$defs", {}).values()]}


def _with_unknown_keys(value: Any) -> Any:
    if isinstance(value, dict):
        known = {key: inner if key in MAPS else _with_unknown_keys(inner) for key, inner in value.items()}
        return known | {"added_later": {"any": ["thing"]}}
    return [_with_unknown_keys(inner) for inner in value] if isinstance(value, list) else value
