"""What a tenant may cost: every route that calls Stripe has a budget per workspace and per person, for all replicas."""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import SecretStr
from stripe import StripeClient

from chassis.database.database import Database
from chassis.web.auth import TokenVerifier
from purchases.main.api import app
from purchases.settings import Settings
from purchases.web import budget
from purchases.web.requests import client_of
from sandbox.issuer import Issuer
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_api.conftest import Api
from tests.integration.purchases_api.test_bad_input import WORKSPACE
from tests.seen import problem_of

Json = dict[str, Any]
BACK: Final = {"return_url": "https://app.example/back"}
ORDER: Final = {"addon": "setup", "expected_price_cents": PRICE, "expected_currency": "EUR"}
BURST: Final = 3


def small(database: Database, client: StripeClient, tokens: tuple[Issuer, TokenVerifier], **more: Any) -> Api:
    """A replica with a small budget."""
    settings = Settings(
        app_env="testing",
        quittance_instance="test",
        allowed_return_origins=("https://app.example",),
        database_url=database.url,
        stripe_secret_key=SecretStr("sk_test_x"),
        **more,
    )
    issuer, verifier = tokens
    return Api(app=app(settings=settings, database=database, client=client, verifier=verifier), issuer=issuer)


@pytest.fixture
async def replicas(
    harness: Harness, migrated: Database, client: StripeClient, tokens: tuple[Issuer, TokenVerifier]
) -> list[Api]:
    """Two, on one database; three requests of a workspace at once, one more a minute."""
    limits = {"stripe_budget_workspace_burst": BURST, "stripe_budget_workspace_per_minute": 1.0}
    return [small(migrated, client, tokens, **limits) for _ in range(2)]


async def save_card(api: Api, workspace: str, person: str = "olga") -> httpx.Response:
    async with api.of({"sub": person, "workspaces": {workspace: "admin"}}) as somebody:
        return await somebody.post(f"/v1/workspaces/{workspace}/setup-sessions", json=BACK)


def dependencies(dependant: Dependant) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from dependencies(one)


def routes(of: Any) -> Iterator[APIRoute]:
    """Every route, however deep its router is included."""
    for route in of.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from routes(route.original_router)


async def test_every_route_that_calls_stripe_has_a_budget(api: Api) -> None:
    """API and pages; whoever adds one chooses whose budget it is of."""
    found = {route.name: set(dependencies(route.dependant)) for route in routes(api.app)}
    calling = {name for name, calls in found.items() if client_of in calls}

    assert {"buy_addon", "open_setup_session", "begin_upgrade", "put_workspace", "cancel_service"} <= calling
    assert {name for name in calling if not found[name] & set(budget.SPENDING)} == set()


async def test_one_workspace_has_one_budget_whichever_replica_it_asks_and_whoever_asks(
    harness: Harness, replicas: list[Api]
) -> None:
    workspace, other = await harness.given_a_workspace(), await harness.given_a_workspace()

    answers = await asyncio.gather(
        *(save_card(replicas[number % 2], workspace, f"admin-{number}") for number in range(BURST + 3))
    )

    assert sorted(one.status_code for one in answers) == [201] * BURST + [429] * 3
    for one in answers:
        if one.status_code == 429:
            assert problem_of(one) == "too-many-requests"
            assert 1 <= int(one.headers["Retry-After"]) <= 60
    assert (await save_card(replicas[0], other)).status_code == 201


async def test_who_floods_a_workspace_keeps_nothing_from_the_host_product(
    harness: Harness, replicas: list[Api]
) -> None:
    workspace = await harness.given_a_workspace()
    flood = [(await save_card(replicas[0], workspace, "admin")).status_code for _ in range(BURST + 1)]

    async with replicas[0].of({"sub": "host", "scope": "workspaces:write"}) as host:
        put = [await host.put(f"/v1/workspaces/{workspace}", json=WORKSPACE) for _ in range(BURST + 1)]

    assert flood[-1] == 429
    assert [one.status_code for one in put] == [200] * BURST + [429], "it has a budget, of its own"


async def test_it_fills_up_again_with_time(harness: Harness, replicas: list[Api]) -> None:
    workspace = await harness.given_a_workspace()
    for _ in range(BURST):
        await save_card(replicas[0], workspace)
    assert (await save_card(replicas[0], workspace)).status_code == 429

    await harness.execute("update stripe_budgets set at = at - interval '1 minute'")

    assert [(await save_card(replicas[1], workspace)).status_code for _ in range(2)] == [201, 429]


async def test_one_person_has_one_budget_over_all_workspaces(
    harness: Harness, migrated: Database, client: StripeClient, tokens: tuple[Issuer, TokenVerifier]
) -> None:
    api = small(migrated, client, tokens, stripe_budget_person_burst=2, stripe_budget_person_per_minute=1.0)
    workspaces = [await harness.given_a_workspace() for _ in range(3)]

    answers = [(await save_card(api, one, "mallory")).status_code for one in workspaces]

    assert answers == [201, 201, 429]
    assert (await save_card(api, workspaces[2], "olga")).status_code == 201
    left = await harness.rows(
        "select tokens from stripe_budgets where subject = :one", one=f"workspace:{workspaces[2]}"
    )
    assert left[0]["tokens"] > 58, "what was refused took nothing of the workspace's"


async def test_a_stranger_spends_nothing_of_it(harness: Harness, replicas: list[Api]) -> None:
    workspace = await harness.given_a_workspace()
    async with replicas[0].of({"sub": "stranger", "workspaces": {}}) as stranger:
        for _ in range(BURST + 1):
            assert (await stranger.post(f"/v1/workspaces/{workspace}/setup-sessions", json=BACK)).status_code == 404

    assert await harness.rows("select 1 from stripe_budgets") == []


async def test_an_open_page_that_saves_a_card_is_used_again(harness: Harness, api: Api) -> None:
    workspace, other = await harness.given_a_workspace(None), await harness.given_a_workspace(None)
    await harness.given_an_addon()

    first, again = [(await save_card(api, workspace)).json() for _ in range(2)]
    async with api.owner(workspace) as owner:
        path = f"/v1/workspaces/{workspace}/purchases"
        bought = await owner.post(path, json=ORDER | BACK, headers={"Idempotency-Key": "k"})
        elsewhere = await owner.post(
            f"/v1/workspaces/{workspace}/setup-sessions", json={"return_url": "https://app.example/other"}
        )

    assert first == again
    assert (problem_of(bought), bought.json()["setup_session_id"]) == ("payment-method-missing", first["id"])
    assert elsewhere.json()["id"] != first["id"]
    assert (await save_card(api, other)).json()["id"] != first["id"]


async def test_one_that_is_over_is_not_used_again(harness: Harness, api: Api) -> None:
    workspace = await harness.given_a_workspace(None)
    first = (await save_card(api, workspace)).json()
    await harness.client.v1.checkout.sessions.expire_async(first["id"])

    assert (await save_card(api, workspace)).json()["id"] != first["id"]


@pytest.mark.parametrize("imported", [False, True], ids=["no cap", "imported"])
async def test_claims_without_a_cap_and_imports_are_bounded(
    harness: Harness,
    migrated: Database,
    client: StripeClient,
    tokens: tuple[Issuer, TokenVerifier],
    imported: bool,
) -> None:
    cap = '{"projects": 0}' if imported else '{"projects": null}'
    await harness.execute(
        "insert into plans (slug, sequence, name, caps, prices) values ('free', 1, 'Free', cast(:cap as jsonb), '[]')",
        cap=cap,
    )
    workspace = await harness.given_a_workspace(None)
    api = small(migrated, client, tokens, claims_per_resource=3)
    query = {"import": "true"} if imported else {}

    async with api.of({"sub": "host", "scope": "resources:write"}) as host:
        path = f"/v1/workspaces/{workspace}/resources/projects"
        answers = [await host.put(f"{path}/p{number}", params=query) for number in range(4)]
        again = await host.put(f"{path}/p0", params=query)

    assert [one.status_code for one in answers] == [201, 201, 201, 403]
    assert (problem_of(answers[3]), answers[3].json()["limit"]) == ("LIMIT_REACHED", 3)
    assert again.status_code == 200
