"""What the description says of an answer and of a request, as JSON Schema that takes no key it does not name."""

import functools
from collections.abc import Iterator
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from tests.conformance.go_module import description

Json = dict[str, Any]
FORM: Final = "application/x-www-form-urlencoded"
ONLY_WHEN_ASKED_FOR: Final = {"invoice": {"amount_paid_off_stripe"}}
"""What the description requires, though it comes with `expand` alone and is in no event.

Source: https://docs.stripe.com/changelog/dahlia/2026-05-27/invoice-object-amount-paid-off-stripe-property.
"""
SPOKEN: Final = ("$ref", "type", "enum", "required", "items", "anyOf", "oneOf", "properties", "additionalProperties")


def complaint_about_answer(*, method: str, path: str, status: int, answer: Any) -> str | None:
    """What the description has against an answer; None when it is as described."""
    found = operation(method=method, path=path)
    if found is None:
        return "no such operation"
    wanted = "200" if status < 400 else "default"
    return _complaint(_schema_of(found["responses"][wanted]["content"]["application/json"]["schema"]), answer)


def complaint_about_object(thing: Json) -> str | None:
    """What the description has against an object by itself, such as the one in an event."""
    name = str(thing["object"]) if not thing.get("deleted") else f"deleted_{thing['object']}"
    return _complaint({"$ref": f"#/components/schemas/{name}"}, thing)


def operation(*, method: str, path: str) -> Json | None:
    """The description's entry for a request; a literal path comes before one with a parameter."""
    steps = path.strip("/").split("/")
    found = [known for known in description()["paths"] if _fits(known.strip("/").split("/"), steps)]
    found = [known for known in sorted(found, key=lambda known: known.count("{")) if method.lower() in _entry(known)]
    entry: Json | None = _entry(found[0])[method.lower()] if found else None
    return entry


def parameters(entry: Json) -> set[str]:
    """The names that a request may carry, nested ones with dots, as `Operation.accepts` writes them."""
    body = entry.get("requestBody", {}).get("content", {}).get(FORM, {}).get("schema", {})
    query = {one["name"]: one.get("schema", {}) for one in entry.get("parameters", []) if one["in"] == "query"}
    return set(_names({**query, **body.get("properties", {})}))


def _names(properties: Json) -> Iterator[str]:
    for name, schema in properties.items():
        yield name
        for shape in [schema, *schema.get("anyOf", [])]:
            yield from (f"{name}.{below}" for below in _names(shape.get("properties", {})))


def _fits(known: list[str], steps: list[str]) -> bool:
    return len(known) == len(steps) and all(
        own == step or own.startswith("{") for own, step in zip(known, steps, strict=True)
    )


def _entry(path: str) -> Json:
    entry: Json = description()["paths"][path]
    return entry


def _complaint(schema: Json, value: Any) -> str | None:
    whole = {**schema, "components": {"schemas": _schemas()}}
    error = best_match(Draft202012Validator(whole).iter_errors(value))
    return None if error is None else f"{error.json_path}: {error.message[:300]}"


@functools.cache
def _schemas() -> Json:
    known = {name: _schema_of(schema) for name, schema in description()["components"]["schemas"].items()}
    for name, members in ONLY_WHEN_ASKED_FOR.items():
        known[name]["required"] = [one for one in known[name]["required"] if one not in members]
    return known


def _schema_of(node: Json) -> Json:
    """OpenAPI 3.0 in the words of JSON Schema: `nullable` is a type of its own, and keys that are not named are not."""
    schema: Json = {word: node[word] for word in SPOKEN if word in node}
    for word in ("anyOf", "oneOf"):
        if word in schema:
            schema[word] = [_schema_of(one) for one in schema[word]]
    if isinstance(schema.get("items"), dict):
        schema["items"] = _schema_of(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = _schema_of(schema["additionalProperties"])
    if "properties" in schema:
        schema["properties"] = {name: _schema_of(one) for name, one in schema["properties"].items()}
        schema.setdefault("additionalProperties", False)
    return {"anyOf": [schema, {"type": "null"}]} if node.get("nullable") else schema
