"""Who may do what: every operation of every service, asked for by everyone, in the own and in another workspace."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from sandbox.issuer import Issuer
from tests.integration.permissions.matrix import CALLERS, MATRIX, OTHER, OWN

Json = dict[str, Any]
Services = dict[str, httpx.AsyncClient]
REFUSALS: Final = {
    (401, "unauthenticated"): "401",
    (403, "forbidden"): "403",
    (404, "workspace-not-found"): "404",
    (403, "webhook-signature"): "sig",
}
"""Everything else is an answer to somebody who was let in, such as 422 to an empty body, or 404 for a purchase."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of a service."""

    id: str
    service: str
    method: str
    path: str
    body: Json | None
    """An empty one where a body is wanted."""


def operations(documents: Json) -> Iterator[Operation]:
    """Every route that the services describe."""
    for service, document in documents.items():
        for path, methods in document["paths"].items():
            for method, answers in methods.items():
                body: Json | None = {} if "requestBody" in answers else None
                yield Operation(answers["operationId"], service, method.upper(), path, body)


def operation(documents: Json, operation_id: str) -> Operation:
    """The route of this id."""
    return next(one for one in operations(documents) if one.id == operation_id)


def url(template: str, workspace: str) -> str:
    """The path, with the workspace in it, and ids of things that nobody made."""
    return re.sub(r"\{(\w+)\}", lambda name: workspace if name[1] == "ws" else str(uuid.uuid4()), template)


async def test_every_route_has_a_row_and_every_row_a_route(documents: Json) -> None:
    assert sorted(MATRIX) == sorted(one.id for one in operations(documents))


@pytest.mark.parametrize("operation_id", MATRIX)
async def test_the_matrix(operation_id: str, services: Services, documents: Json, issuer: Issuer) -> None:
    route = operation(documents, operation_id)
    expected, got = {}, {}
    for caller, claims in CALLERS.items():
        headers = {"Authorization": f"Bearer {issuer.mint(claims)}"} if claims else {}
        for workspace in (OWN, OTHER):
            answer = await services[route.service].request(
                route.method, url(route.path, workspace), json=route.body, headers=headers
            )
            expected[caller, workspace] = MATRIX[operation_id].expected(caller, workspace)
            got[caller, workspace] = verdict(answer)

    assert expected == got


def verdict(answer: httpx.Response) -> str:
    """`ok`, or the status of the refusal."""
    if answer.is_success:
        return "ok"
    slug = answer.json()["type"].rpartition("/")[2]
    return REFUSALS.get((answer.status_code, slug), "ok")


@pytest.mark.parametrize("operation_id", [one for one, rule in MATRIX.items() if "401" in rule.own])
async def test_whoever_is_not_let_in_learns_nothing_of_a_bad_body(
    operation_id: str, services: Services, documents: Json, issuer: Issuer
) -> None:
    route = operation(documents, operation_id)
    token = issuer.mint({"sub": "nina", "workspaces": {"ws-elsewhere": "owner"}})
    body = None if route.body is None else {"nonsense": True}

    answer = await services[route.service].request(
        route.method, url(route.path, OWN) + "?nonsense=1", json=body, headers={"Authorization": f"Bearer {token}"}
    )

    assert verdict(answer) in {"403", "404"}
