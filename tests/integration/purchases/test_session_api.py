"""Sessions over HTTP: who gets one, what a repeat gets, and what is refused before anything is asked of Stripe."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest

from purchases.settings import Settings
from tests.integration.purchases.api import Api, an_api
from tests.integration.purchases.harness import Harness, Json

HOME: Final = Settings(app_env="testing", database_url="postgresql://").public_base_url.rstrip("/")
FOREIGN: Final = "https://evil.example/"


@pytest.fixture
async def api(harness: Harness) -> AsyncIterator[Api]:
    price = await harness.client.v1.prices.create_async(
        {
            "currency": "eur",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Builder"},
        }
    )
    prices = [{"interval": "month", "currency": "EUR", "price_cents": 900, "stripe_price_id": price.id}]
    await harness.execute(
        "insert into plans (slug, sequence, name, caps, prices) values ('builder', 1, 'Builder', '{}', :prices)",
        prices=json.dumps(prices),
    )
    await harness.given_an_addon()
    async with an_api(harness.database, harness.client) as api:
        yield api


async def _post(
    api: Api, workspace: str, kind: str, body: Json, *, role: str = "owner", sub: str = "olga", key: str | None = ""
) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key or uuid.uuid4().hex}
    headers["Authorization"] = f"Bearer {api.issuer.mint({'sub': sub, 'workspaces': {workspace: role}})}"
    return await api.http.post(f"/v1/workspaces/{workspace}/{kind}-sessions", json=body, headers=headers)


def _checkout(**changes: Any) -> Json:
    wanted = {"plan": "builder", "interval": "month", "addons": ["setup"]}
    return wanted | {"success_url": f"{HOME}/welcome", "cancel_url": f"{HOME}/pricing"} | changes


async def _sessions(harness: Harness) -> list[Json]:
    return (await harness.control.objects(kind="checkout.session")).get("checkout.session", [])


async def test_the_owner_gets_a_page_and_a_repeat_gets_the_same(harness: Harness, api: Api) -> None:
    workspace = await harness.given_a_workspace(None)

    first = await _post(api, workspace, "checkout", _checkout(), key="k")
    again = await _post(api, workspace, "checkout", _checkout(), key="k")

    assert (first.status_code, again.status_code) == (201, 200)
    (session,) = await _sessions(harness)
    assert first.json() == again.json() == {"id": session["id"], "url": session["url"]}
    assert (session["success_url"], session["cancel_url"]) == (f"{HOME}/welcome", f"{HOME}/pricing")
    assert session["currency"] == "eur"


@pytest.mark.parametrize(("role", "sub"), [("admin", "anna"), ("owner", "mallory")])
async def test_an_admin_and_who_only_claims_to_own_it_may_not_upgrade(
    harness: Harness, api: Api, role: str, sub: str
) -> None:
    workspace = await harness.given_a_workspace(None)

    for kind, body in (("checkout", _checkout()), ("portal", {})):
        assert (await _post(api, workspace, kind, body, role=role, sub=sub)).status_code == 403
    assert await _sessions(harness) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"interval": "day"},
        {"addons": [f"service-{number}" for number in range(21)]},
        {"addons": ["setup", "setup"]},
        {"currency": "euro"},
        {"success_url": FOREIGN},
        {"cancel_url": FOREIGN},
        {"coupon": "FREE"},
    ],
    ids=["interval", "too many", "twice", "currency", "success_url", "cancel_url", "unknown member"],
)
async def test_a_body_that_is_not_right_is_refused_and_nothing_is_written(
    harness: Harness, api: Api, changes: Json
) -> None:
    refused = await _post(api, await harness.given_a_workspace(None), "checkout", _checkout(**changes))

    assert refused.status_code == 422
    assert await harness.rows("select 1 from checkout_sessions") == []
    assert await _sessions(harness) == []


async def test_without_an_idempotency_key_no_checkout_is_opened(harness: Harness, api: Api) -> None:
    refused = await _post(api, await harness.given_a_workspace(None), "checkout", _checkout(), key=None)

    assert refused.status_code in {400, 422}
    assert await _sessions(harness) == []


@pytest.mark.parametrize(("kind", "body"), [("setup", {"return_url": FOREIGN}), ("portal", {"return_url": FOREIGN})])
async def test_no_page_leads_to_a_foreign_site(harness: Harness, api: Api, kind: str, body: Json) -> None:
    refused = await _post(api, await harness.given_a_workspace(None), kind, body)

    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "return-url-not-allowed")


async def test_an_addon_in_an_open_checkout_is_offered_since_buying_it_ends_that(harness: Harness, api: Api) -> None:
    workspace = await harness.given_a_workspace(None)
    await _post(api, workspace, "checkout", _checkout())

    headers = {"Authorization": f"Bearer {api.issuer.mint({'sub': 'olga', 'workspaces': {workspace: 'owner'}})}"}
    (offer,) = (await api.http.get(f"/v1/workspaces/{workspace}/addons", headers=headers)).json()["addons"]

    assert (offer["can_be_bought"], offer["cannot_buy_because"]) == (True, None)
