"""Every refusal that a test meets is one that the service's own description promises for that operation."""

import json
import re
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx

from chassis.problems import MEDIA_TYPE

Json = dict[str, Any]
Hooks = dict[str, list[Callable[[httpx.Response], Awaitable[None]]]]
DOCUMENTS: Final = Path(__file__).parents[1] / "contracts/openapi"
OF_EVERY_OPERATION: Final = frozenset({405, 408, 500, 503})
"""The document says 4XX and 5XX; these are the framework's, and whoever needs them finds them there."""


@cache
def document_of(service: str) -> Json:
    """What the service publishes of itself; `tests/contract` holds it to the code, which takes long to ask."""
    document: Json = json.loads((DOCUMENTS / f"{service}.json").read_text())
    return document


def only_documented_problems(service: str) -> Hooks:
    """Hooks for a client of the service's API: a problem that its operation does not list fails."""
    document = document_of(service)

    async def check(answer: httpx.Response) -> None:
        operation = operation_of(document, answer.request.method, answer.request.url.path)
        if operation is None or answer.headers.get("content-type") != MEDIA_TYPE:
            return
        await answer.aread()
        expected = documented(operation, answer.status_code)
        assert answer.json()["type"] in expected or _is_everywhere(expected, answer), (
            f"{operation['operationId']} answered {answer.text}, but lists for {answer.status_code} only {expected}"
        )

    return {"response": [check]}


def operation_of(document: Json, method: str, path: str) -> Json | None:
    """What the document says of this call; None where it is no call of the API."""
    for template, methods in document["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            operation: Json | None = methods.get(method.lower())
            return operation
    return None


def documented(operation: Json, status: int) -> list[str]:
    """The problem types that the operation lists for this status."""
    answer = operation["responses"].get(str(status), {})
    types: list[str] = (
        answer.get("content", {})
        .get(MEDIA_TYPE, {})
        .get("schema", {})
        .get("properties", {})
        .get("type", {})
        .get("enum", [])
    )
    return types


def _is_everywhere(expected: list[str], answer: httpx.Response) -> bool:
    return not expected and answer.status_code in OF_EVERY_OPERATION
