"""Another workspace's purchases do not exist, and a token that is not right opens nothing.

Who may do what is tests/integration/permissions, operation by operation.
"""

import base64
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.driver import Driver
from sandbox.processes import AUDIENCE
from sandbox.shop import Shop, bearer
from tests.seen import everything, problem_of

Json = dict[str, Any]


@pytest.fixture
async def shop(driver: Driver) -> AsyncIterator[Shop]:
    """With a neighbour and one paid purchase; at the end of the test nothing else has happened to it."""
    await driver.given_a_workspace()
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    assert (await driver.buy(shop, addon)).status_code == 201
    await driver.settle()
    before = await everything(driver)
    yield shop
    await driver.settle()
    assert await everything(driver) == before


async def the_purchase(driver: Driver, shop: Shop) -> str:
    (purchase,) = (await driver.get(f"/v1/workspaces/{shop.workspace_id}/purchases", token=shop.token))["purchases"]
    return str(purchase["id"])


async def buyers_calls(driver: Driver, shop: Shop, token: str) -> dict[str, httpx.Response]:
    """Everything that a buyer can call about this workspace."""
    home = f"{driver.stack.purchases_url}/v1/workspaces/{shop.workspace_id}"
    body = {"addon": "professional-ai-setup", "expected_price_cents": 1, "expected_currency": "EUR"}
    headers = bearer(token) | {"Idempotency-Key": uuid.uuid4().hex}
    return {
        "offers": await driver.http.get(f"{home}/addons", headers=headers),
        "purchases": await driver.http.get(f"{home}/purchases", headers=headers),
        "one": await driver.http.get(f"{home}/purchases/{await the_purchase(driver, shop)}", headers=headers),
        "buy": await driver.http.post(f"{home}/purchases", json=body, headers=headers),
    }


async def staffs_calls(driver: Driver, shop: Shop, token: str) -> dict[str, httpx.Response]:
    """What only staff, or the host product, may call."""
    purchases, catalog = driver.stack.purchases_url, driver.stack.catalog_url
    one = f"{purchases}/v1/admin/purchases/{await the_purchase(driver, shop)}"
    registration = {"name": "Acme", "owner": {"user_id": shop.owner_id, "email": "thief@acme.test"}}
    workspace = f"{purchases}/v1/workspaces/{shop.workspace_id}"
    headers = bearer(token)
    return {
        "record": await driver.http.get(one, headers=headers),
        "deliver": await driver.http.post(f"{one}/deliver", headers=headers),
        "add-ons": await driver.http.get(f"{catalog}/v1/admin/addons", headers=headers),
        "new add-on": await driver.http.post(
            f"{catalog}/v1/admin/addons", json={"name": "Mine", "price": "1"}, headers=headers
        ),
        "register": await driver.http.put(workspace, json=registration, headers=headers),
    }


def all_are(answers: dict[str, httpx.Response], status: int, problem: str) -> bool:
    seen = {name: (answer.status_code, problem_of(answer)) for name, answer in answers.items()}
    assert seen == dict.fromkeys(answers, (status, problem))
    return True


async def test_a_workspace_that_nobody_registered_is_not_found_even_for_its_owner(driver: Driver, shop: Shop) -> None:
    token = await driver.token(sub="user-3", workspaces={"ws-unknown": "owner"})
    answer = await driver.http.get(
        f"{driver.stack.purchases_url}/v1/workspaces/ws-unknown/purchases", headers=bearer(token)
    )

    assert (answer.status_code, problem_of(answer)) == (404, "workspace-not-found")


async def test_another_workspaces_purchase_does_not_exist(driver: Driver, shop: Shop) -> None:
    """By no path, and not different from an id that was never given."""
    neighbour = driver.shops[0]
    theirs = await the_purchase(driver, shop)
    paths = [
        f"{ws}/purchases/{one}" for one in (theirs, uuid.uuid4()) for ws in (neighbour.workspace_id, shop.workspace_id)
    ]
    answers = [
        await driver.http.get(f"{driver.stack.purchases_url}/v1/workspaces/{path}", headers=bearer(neighbour.token))
        for path in paths
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert [problem_of(answer) for answer in answers] == ["purchase-not-found", "workspace-not-found"] * 2


def unsigned(claims: Json) -> str:
    """The token of `alg: none`."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts) + "."


def another_key(claims: Json) -> str:
    """Well signed, by nobody we know."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "another"})


async def bad_tokens(driver: Driver, shop: Shop) -> dict[str, str]:
    who: Json = {
        "sub": shop.owner_id,
        "platform_role": "super_admin",
        "workspaces": {shop.workspace_id: "owner"},
        "scope": "workspaces:write",
    }
    claims = who | {"iss": driver.stack.issuer_url, "aud": AUDIENCE, "exp": int(time.time()) + 600}
    return {
        "expired": await driver.token(**who, expires_in=-120),
        "for another audience": await driver.token(**who, audience="another-product"),
        "of another issuer": await driver.token(**who, issuer="https://issuer.example"),
        "unsigned": unsigned(claims),
        "of a shared secret": jwt.encode(claims, "s" * 64, algorithm="HS256"),
        "of a longer hash": jwt.encode(claims, "s" * 64, algorithm="HS512"),
        "of a key that is not the issuer's": another_key(claims),
        "no token at all": "garbage",
    }


async def test_a_token_that_is_not_right_opens_nothing(driver: Driver, shop: Shop) -> None:
    for name, token in (await bad_tokens(driver, shop)).items():
        answers = await buyers_calls(driver, shop, token) | await staffs_calls(driver, shop, token)
        assert all_are(answers, 401, "unauthenticated"), name
        assert all("bearer" in answer.headers["www-authenticate"].lower() for answer in answers.values())
