"""The plan's caps hold whatever races (P11); after a downgrade nothing is deleted, and nothing can be added."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest

from contracts import PlanPrice, PlanState
from purchases.workspaces import store as workspaces
from tests.integration.purchases.api import Api, an_api, api_processes
from tests.integration.purchases.harness import Harness
from tests.rounds import rounds
from tests.seen import problem_of

RACERS: Final = rounds(200, every=1_000)
CAP: Final = 50
EUR_MONTHLY: Final = PlanPrice(interval="month", currency="EUR", price_cents=900, stripe_price_id="price_month")
Caps = Mapping[str, int | None]
FREE: Final[Caps] = {"projects": 1, "seats": 1, "byok_keys": 0}
BUILDER: Final[Caps] = {"projects": None, "seats": 10, "byok_keys": None}


def plan(slug: str, caps: Caps, *, sequence: int = 1, prices: tuple[PlanPrice, ...] = ()) -> PlanState:
    return PlanState(
        plan=slug, sequence=sequence, occurred_at=datetime.now(UTC), name=slug.title(), caps=caps, prices=prices
    )


@pytest.fixture
async def api(harness: Harness) -> AsyncIterator[Api]:
    """With both plans as they are seeded."""
    await harness.deliver(plan("free", FREE), plan("builder", BUILDER, prices=(EUR_MONTHLY,)))
    async with an_api(harness.database, harness.client) as api:
        yield api


async def put_on(harness: Harness, workspace_id: str, slug: str) -> None:
    """As the subscription's facts would."""
    await harness.execute("update workspaces set plan = :plan where id = :id", plan=slug, id=workspace_id)


async def claim(api: Api, workspace_id: str, resource: str, resource_id: str, **more: Any) -> httpx.Response:
    return await api.call("PUT", f"/v1/workspaces/{workspace_id}/resources/{resource}/{resource_id}", **more)


async def usage(api: Api, workspace_id: str, resource: str) -> tuple[int, int | None, bool, bool]:
    billing = await api.call(
        "GET", f"/v1/workspaces/{workspace_id}/billing", token={"sub": "viv", **viewer_of(workspace_id)}
    )
    (one,) = [one for one in billing.json()["usage"] if one["resource"] == resource]
    return one["used"], one["limit"], one["over_cap"], one["frozen"]


def viewer_of(workspace_id: str) -> dict[str, Any]:
    return {"workspaces": {workspace_id: "viewer"}}


async def test_a_claim_waits_for_the_one_that_is_under_way(harness: Harness, api: Api) -> None:
    ws = await harness.given_a_workspace()
    async with harness.database.transaction() as session:
        await workspaces.lock_workspace(session, ws)
        later = asyncio.create_task(claim(api, ws, "projects", "one"))
        over, _ = await asyncio.wait([later], timeout=2)

    assert over == set()
    assert (await later).status_code == 201


async def test_a_claim_counts_once_and_the_one_over_the_cap_is_refused(harness: Harness, api: Api) -> None:
    ws = await harness.given_a_workspace()
    answers = [await claim(api, ws, "projects", name) for name in ("one", "one", "two")]

    assert [answer.status_code for answer in answers] == [201, 200, 403]
    refused = answers[-1].json()
    assert problem_of(answers[-1]) == "LIMIT_REACHED"
    assert (refused["resource"], refused["limit"], refused["used"]) == ("projects", 1, 1)
    assert await usage(api, ws, "projects") == (1, 1, False, False)


async def test_a_slot_that_is_given_back_can_be_claimed_again(harness: Harness, api: Api) -> None:
    ws = await harness.given_a_workspace()
    await claim(api, ws, "projects", "one")
    path = f"/v1/workspaces/{ws}/resources/projects"

    freed = [(await api.call("DELETE", f"{path}/{name}")).status_code for name in ("one", "one", "never")]

    assert freed == [204, 204, 204]
    assert (await claim(api, ws, "projects", "two")).status_code == 201


async def test_what_nobody_knows_is_not_found(harness: Harness, api: Api) -> None:
    ws = await harness.given_a_workspace()
    unknown = await claim(api, ws, "rockets", "one")
    unregistered = await claim(api, "ws-unknown", "projects", "one")
    freed = await api.call("DELETE", f"/v1/workspaces/{ws}/resources/rockets/one")

    assert [problem_of(answer) for answer in (unknown, unregistered, freed)] == [
        "resource-not-found",
        "workspace-not-found",
        "resource-not-found",
    ]


async def test_a_downgrade_keeps_everything_and_stops_growth_and_an_upgrade_restores_it(
    harness: Harness, api: Api
) -> None:
    ws = await harness.given_a_workspace()
    await put_on(harness, ws, "builder")
    for resource in ("projects", "byok_keys"):
        for number in range(3):
            assert (await claim(api, ws, resource, f"{number}")).status_code == 201

    await put_on(harness, ws, "free")
    over, again, frozen = [
        await claim(api, ws, *which) for which in (("projects", "9"), ("projects", "0"), ("byok_keys", "9"))
    ]

    assert [answer.status_code for answer in (over, again, frozen)] == [403, 200, 403]
    assert await usage(api, ws, "projects") == (3, 1, True, False)
    assert await usage(api, ws, "byok_keys") == (3, 0, True, True)
    for number in range(3):
        await api.call("DELETE", f"/v1/workspaces/{ws}/resources/projects/{number}")
    assert (await claim(api, ws, "projects", "9")).status_code == 201
    await put_on(harness, ws, "builder")
    assert (await claim(api, ws, "byok_keys", "9")).status_code == 201
    assert await usage(api, ws, "byok_keys") == (4, None, False, False)


async def test_an_edited_cap_holds_at_once_and_an_older_fact_does_not_bring_the_old_one_back(
    harness: Harness, api: Api
) -> None:
    ws = await harness.given_a_workspace()
    await claim(api, ws, "projects", "one")

    await harness.deliver(plan("free", {"projects": 2}, sequence=3))
    await harness.deliver(plan("free", {"projects": 9}, sequence=2))

    assert [(await claim(api, ws, "projects", name)).status_code for name in ("two", "three")] == [201, 403]


async def test_a_product_that_moves_in_imports_what_it_has(harness: Harness, api: Api) -> None:
    ws = await harness.given_a_workspace()
    imported = [await claim(api, ws, "projects", f"{number}", params={"import": "true"}) for number in range(3)]
    owner = {"sub": "olga", "workspaces": {ws: "owner"}}
    refused = await claim(api, ws, "projects", "mine", params={"import": "true"}, token=owner)

    assert [answer.status_code for answer in imported] == [201] * 3
    assert (refused.status_code, problem_of(refused)) == (403, "forbidden")
    assert await usage(api, ws, "projects") == (3, 1, True, False)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ({"sub": "host", "scope": "resources:write"}, 201),
        ({"sub": "host", "scope": "workspaces:write"}, 404),
        ({"sub": "olga", "role": "owner"}, 201),
        ({"sub": "anna", "role": "owner"}, 201),
        ({"sub": "anna", "role": "admin"}, 201),
        ({"sub": "erik", "role": "editor"}, 201),
        ({"sub": "vera", "role": "viewer"}, 403),
        ({"sub": "mira", "platform_role": "super_admin"}, 403),
        ({"sub": "mallory"}, 404),
    ],
)
async def test_who_may_claim(harness: Harness, api: Api, token: dict[str, str], expected: int) -> None:
    ws = await harness.given_a_workspace()
    claims: dict[str, Any] = {name: value for name, value in token.items() if name != "role"}
    if "role" in token:
        claims["workspaces"] = {ws: token["role"]}

    assert expected == (await claim(api, ws, "projects", "one", token=claims)).status_code
    assert (expected == 201) == bool(await harness.rows("select 1 from workspace_resources"))


async def test_the_slots_are_listed_page_by_page(harness: Harness, api: Api) -> None:
    ws = await harness.given_a_workspace()
    await put_on(harness, ws, "builder")
    for resource, name in (("seats", "s"), ("projects", "b"), ("projects", "a")):
        await claim(api, ws, resource, name)
    path, cursor, seen = f"/v1/workspaces/{ws}/resources", None, []

    while True:
        page = (await api.call("GET", path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen.append([(one["resource"], one["id"]) for one in page["resources"]])
        if (cursor := page["next_cursor"]) is None:
            break

    assert seen == [[("projects", "a"), ("projects", "b")], [("seats", "s")]]


async def test_everyone_in_a_workspace_sees_its_plan(harness: Harness, api: Api) -> None:
    ws = await harness.given_a_workspace()
    path = f"/v1/workspaces/{ws}/billing"
    members: list[dict[str, Any]] = [
        {"sub": role, "workspaces": {ws: role}} for role in ("owner", "admin", "editor", "viewer")
    ]
    staff: dict[str, Any] = {"sub": "mira", "platform_role": "super_admin"}
    shown = [await api.call("GET", path, token=token) for token in (*members, staff)]
    stranger = await api.call("GET", path, token={"sub": "mallory", "workspaces": {"ws-other": "owner"}})

    assert [shown[0].json()] * 5 == [answer.json() for answer in shown]
    assert (stranger.status_code, problem_of(stranger)) == (404, "workspace-not-found")
    billing = shown[0].json()
    assert {"slug": "free", "name": "Free", "caps": dict(FREE)} == billing["plan"]
    assert billing["prices"] == [{"interval": "month", "currency": "EUR", "price_cents": 900, "price": "9.00"}]
    assert (
        billing["subscription"], billing["past_due"], billing["support_email"],
    ) == (None, False, "support@quittance.example")  # fmt: skip


async def race(apis: list[Api], workspace_id: str, *, number: int) -> Counter[int]:
    """That many different claims at once, each on a connection of its own, from all processes."""
    token = apis[0].issuer.mint({"sub": "host", "scope": "resources:write"})

    async def one(index: int) -> int:
        path = f"/v1/workspaces/{workspace_id}/resources/seats/{uuid.uuid4()}"
        status = await put(apis[index % len(apis)].http.base_url, path, token)
        if status != 503:
            return status
        # On a busy machine: too long in the queue.
        await asyncio.sleep(1)
        return await one(index)

    return Counter(await asyncio.gather(*(one(index) for index in range(number))))


async def put(base_url: httpx.URL, path: str, token: str) -> int:
    """The answer's status. Without a client's pool, whose cost grows with the square of what waits for it."""
    reader, writer = await asyncio.open_connection(base_url.host, base_url.port)
    head = {"Host": base_url.host, "Authorization": f"Bearer {token}", "Content-Length": "0", "Connection": "close"}
    lines = [f"PUT {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split(maxsplit=2)[1])


@pytest.mark.timeout(400)  # on a busy machine
async def test_a_thousand_claims_from_two_processes_take_exactly_the_slots_there_are(harness: Harness) -> None:
    """And in a second race, with a downgrade in its middle, those that were taken until then."""
    await harness.deliver(plan("free", {"seats": 5}), plan("builder", {"seats": CAP}))
    steady, falling = [await harness.given_a_workspace() for _ in range(2)]
    for ws in (steady, falling):
        await put_on(harness, ws, "builder")

    async with api_processes(harness.database.url, number=2) as apis:
        assert await race(apis, steady, number=RACERS) == Counter({201: CAP, 403: RACERS - CAP})
        racing = asyncio.create_task(race(apis, falling, number=RACERS))
        await some_are_claimed(harness, falling)
        await put_on(harness, falling, "free")
        at_downgrade = await claimed(harness, falling)
        seen = await racing

    assert set(seen) == {201, 403}
    assert await claimed(harness, falling) == seen[201] == max(5, at_downgrade)


async def claimed(harness: Harness, workspace_id: str) -> int:
    (row,) = await harness.rows("select count(*) from workspace_resources where workspace_id = :ws", ws=workspace_id)
    return int(row["count"])


async def some_are_claimed(harness: Harness, workspace_id: str) -> None:
    async with asyncio.timeout(30):
        while not await claimed(harness, workspace_id):
            pass
