"""The token issuer, as a verifier sees it."""

import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest

from sandbox.ports import LOOPBACK, free_port, is_listening
from sandbox.process import Process


@pytest.fixture(scope="module")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    command = [sys.executable, "-m", "sandbox.issuer", "--port", str(port), "--audience", "quittance"]
    process = Process("issuer", command, log=tmp_path_factory.mktemp("issuer") / "issuer.log")
    process.start()

    async def ready() -> bool:
        return is_listening(port)

    await process.until(ready, within=20)
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as client:
        yield client
    await process.stop()


async def mint(issuer: httpx.AsyncClient, **order: object) -> str:
    answer = await issuer.post("/token", json={"sub": "u1", "email": "u1@example.test", **order})
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


async def verify(issuer: httpx.AsyncClient, token: str) -> dict[str, Any]:
    """As a service does: with the published keys, and every claim required."""
    keys = jwt.PyJWKSet.from_dict((await issuer.get("/.well-known/jwks.json")).json())
    return jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        algorithms=["RS256"],
        audience="quittance",
        issuer=str(issuer.base_url).rstrip("/"),
        options={"require": ["iss", "aud", "exp", "sub"]},
    )


async def test_a_token_carries_what_was_asked_for(issuer: httpx.AsyncClient) -> None:
    token = await mint(issuer, workspaces={"ws1": "owner"}, platform_role="super_admin", scope="workspaces:write")

    claims = await verify(issuer, token)

    assert claims["sub"] == "u1"
    assert claims["email"] == "u1@example.test"
    assert claims["workspaces"] == {"ws1": "owner"}
    assert claims["platform_role"] == "super_admin"
    assert claims["scope"] == "workspaces:write"


async def test_a_token_can_be_past(issuer: httpx.AsyncClient) -> None:
    with pytest.raises(jwt.ExpiredSignatureError):
        await verify(issuer, await mint(issuer, expires_in=-60))


async def test_a_token_can_be_for_somebody_else(issuer: httpx.AsyncClient) -> None:
    with pytest.raises(jwt.InvalidAudienceError):
        await verify(issuer, await mint(issuer, audience="another"))


async def test_after_a_rotation_old_and_new_tokens_verify(issuer: httpx.AsyncClient) -> None:
    old = await mint(issuer)
    key_id = (await issuer.post("/rotate")).json()["kid"]
    new = await mint(issuer)

    assert jwt.get_unverified_header(new)["kid"] == key_id
    assert (await verify(issuer, old))["sub"] == (await verify(issuer, new))["sub"]


async def test_a_withdrawn_key_verifies_nothing(issuer: httpx.AsyncClient) -> None:
    old = await mint(issuer)
    await issuer.post("/rotate", json={"forget": True})

    with pytest.raises(KeyError):
        await verify(issuer, old)


async def test_its_configuration_names_its_keys(issuer: httpx.AsyncClient) -> None:
    found = (await issuer.get("/.well-known/openid-configuration")).json()

    assert found["jwks_uri"] == f"{found['issuer']}/.well-known/jwks.json"


@pytest.mark.parametrize("body", [{}, {"sub": "u1", "role": "king"}, [], {"sub": "u1", "expires_in": "soon"}])
async def test_an_order_that_is_not_understood_is_refused(issuer: httpx.AsyncClient, body: object) -> None:
    assert (await issuer.post("/token", json=body)).status_code == 400
