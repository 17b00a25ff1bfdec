"""Pages on the allowed origins may call the APIs from a browser; nobody else's may, and no cache mixes them up."""

import httpx
import pytest

from tests.integration.permissions.conftest import ORIGIN

each_api = pytest.mark.parametrize(
    ("service", "path"), [("catalog", "/v1/addons"), ("purchases", "/v1/workspaces/ws-own/purchases")]
)
FOREIGN = [
    "https://evil.example",
    "https://app.example.evil.test",
    "http://app.example",
    "https://app.example:8443",
    "null",
]
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}


@each_api
async def test_an_allowed_origin_may_read_the_answer(
    services: dict[str, httpx.AsyncClient], service: str, path: str
) -> None:
    answer = await services[service].get(path, headers={"Origin": ORIGIN})

    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in answer.headers["vary"]
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


@each_api
async def test_an_allowed_origin_may_send_a_token_and_a_key(
    services: dict[str, httpx.AsyncClient], service: str, path: str
) -> None:
    answer = await services[service].options(path, headers={"Origin": ORIGIN} | ASKED)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in answer.headers["vary"]
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert {"authorization", "idempotency-key"} <= set(
        answer.headers["access-control-allow-headers"].lower().split(", ")
    )


@each_api
@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("asked", [{}, ASKED], ids=["simple", "preflight"])
async def test_a_foreign_origin_learns_nothing(
    services: dict[str, httpx.AsyncClient], service: str, path: str, origin: str, asked: dict[str, str]
) -> None:
    answer = await services[service].request("OPTIONS" if asked else "GET", path, headers={"Origin": origin} | asked)

    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]
