"""Whatever a client sends to purchases that it should not: a clear problem of a stable type, and nothing changed."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest

from purchases.stripe_budgets.rows import StripeBudget
from purchases.tables import Row
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_api.conftest import Api
from tests.seen import problem_of

Json = dict[str, Any]
ORDER: Final[Json] = {"addon": "setup", "expected_price_cents": PRICE, "expected_currency": "EUR"}
WORKSPACE: Final[Json] = {"name": "Acme", "owner": {"user_id": "olga", "email": "olga@acme.example"}}
INVALID: Final = (422, "invalid-request")
FOREIGN: Final = (422, "return-url-not-allowed")
FOREIGN_URLS: Final = {
    "another site": "https://evil.example/back",
    "a site that begins alike": "https://app.example.evil.example/",
    "user and password": "https://app.example@evil.example/",
    "another scheme": "http://app.example/",
    "another port": "https://app.example:8443/",
    "a script": "javascript:alert(1)",
    "no scheme": "//app.example/back",
    "a path": "/back",
    "a backslash": "https://app.example\\@evil.example/",
    "a line end": "https://app.example/\r\nSet-Cookie: a=b",
}


async def everything(harness: Harness) -> list[Any]:
    """Every row of every table, and how much was asked of Stripe; bad input spends of the budget as any other does."""
    names = [table for table in Row.metadata.tables if table != StripeBudget.__tablename__]
    tables = [await harness.rows(f"select * from {table} order by 1") for table in names]
    return [*tables, len(await harness.control.requests())]


async def outcomes(
    client: httpx.AsyncClient, method: str, path: str, cases: Mapping[str, Json], **headers: str
) -> dict[str, tuple[int, str]]:
    """What each body is answered with; every request has a key of its own."""
    got = {}
    for name, body in cases.items():
        sent = {"Idempotency-Key": uuid.uuid4().hex} | headers
        answer = await client.request(method, path, json=body, headers=sent)
        got[name] = (answer.status_code, problem_of(answer))
    return got


Cases = Mapping[str, tuple[Json, tuple[int, str]]]
ORDERS: Final[Cases] = {
    "unknown add-on": ({"addon": "rocket"}, (404, "addon-not-found")),
    "markup for an add-on": ({"addon": "<script>alert(1)</script>"}, (404, "addon-not-found")),
    "inactive add-on": ({"addon": "inactive"}, (409, "addon-inactive")),
    "another price": ({"expected_price_cents": PRICE - 1}, (409, "price-changed")),
    "another currency": ({"expected_currency": "USD"}, (409, "price-changed")),
    "a currency that is none": ({"expected_currency": "XXX"}, (409, "price-changed")),
    "no currency": ({"expected_currency": "EURO"}, INVALID),
    "a price of nothing": ({"expected_price_cents": 0}, INVALID),
    "a negative price": ({"expected_price_cents": -PRICE}, INVALID),
    "a price with decimals": ({"expected_price_cents": 499.5}, INVALID),
    "a price as text": ({"expected_price_cents": str(PRICE)}, INVALID),
    "a price that is true": ({"expected_price_cents": True}, INVALID),
    "a price beyond all bounds": ({"expected_price_cents": 10**30}, INVALID),
    "no add-on": ({"addon": ""}, INVALID),
    "an add-on that is null": ({"addon": None}, INVALID),
    "NUL": ({"addon": "setup\x00"}, INVALID),
    "a misspelt member": ({"retrun_url": "https://app.example/"}, INVALID),
    "a return URL that is empty": ({"return_url": ""}, INVALID),
    "a return URL that is too long": ({"return_url": "https://app.example/" + "x" * 2000}, INVALID),
}
WAYS_BACK: Final[Cases] = {name: ({"return_url": url}, FOREIGN) for name, url in FOREIGN_URLS.items()}


@pytest.fixture
async def workspace(harness: Harness) -> str:
    """With a card, one add-on for sale and one that is not."""
    await harness.given_an_addon()
    await harness.given_an_addon("inactive")
    await harness.execute("update addons set is_active = false where slug = 'inactive'")
    return await harness.given_a_workspace(workspace_id="ws-acme")


async def test_an_order_that_cannot_be_taken(harness: Harness, api: Api, workspace: str) -> None:
    cases, before = {**ORDERS, **WAYS_BACK}, await everything(harness)
    async with api.owner(workspace) as owner:
        bodies = {name: ORDER | change for name, (change, _) in cases.items()}
        got = await outcomes(owner, "POST", f"/v1/workspaces/{workspace}/purchases", bodies)

    assert {name: expected for name, (_, expected) in cases.items()} == got
    assert await everything(harness) == before


async def test_an_order_without_a_good_key(harness: Harness, api: Api, workspace: str) -> None:
    path, before = f"/v1/workspaces/{workspace}/purchases", await everything(harness)
    async with api.owner(workspace) as owner:
        answers = [await owner.post(path, json=ORDER)]
        answers += [
            await owner.post(path, json=ORDER, headers=[(b"Idempotency-Key", key)])
            for key in (b"", b"two words", "schlüssel".encode(), b"x" * 256)
        ]

    assert {(answer.status_code, problem_of(answer)) for answer in answers} == {INVALID}
    assert await everything(harness) == before


async def test_a_key_that_was_used_with_another_body(harness: Harness, api: Api, workspace: str) -> None:
    path = f"/v1/workspaces/{workspace}/purchases"
    async with api.owner(workspace) as owner:
        bought = await owner.post(path, json=ORDER, headers={"Idempotency-Key": "once"})
        before = await everything(harness)
        got = await outcomes(
            owner,
            "POST",
            path,
            {
                "another return URL": ORDER | {"return_url": "https://app.example/"},
                "another add-on": ORDER | {"addon": "x"},
            },
            **{"Idempotency-Key": "once"},
        )

    assert bought.status_code == 201
    assert set(got.values()) == {(422, "idempotency-key-reused")}
    assert await everything(harness) == before


async def test_a_card_is_not_saved_on_the_way_to_a_foreign_page(harness: Harness, api: Api, workspace: str) -> None:
    before = await everything(harness)
    async with api.owner(workspace) as owner:
        bodies = {name: {"return_url": url} for name, url in FOREIGN_URLS.items()}
        got = await outcomes(owner, "POST", f"/v1/workspaces/{workspace}/setup-sessions", bodies)
        nowhere = await outcomes(owner, "POST", f"/v1/workspaces/{workspace}/setup-sessions", {"nowhere": {}})

    assert set(got.values()) == {FOREIGN}
    assert set(nowhere.values()) == {INVALID}
    assert await everything(harness) == before


REGISTRATIONS: Final[Cases] = {
    "another owner": ({"owner": {"user_id": "paula", "email": "olga@acme.example"}}, (409, "owner-fixed")),
    "another customer": ({"stripe_customer_id": "cus_another"}, (409, "customer-fixed")),
    "no customer": ({"stripe_customer_id": "sub_1"}, INVALID),
    "no name": ({"name": "  "}, INVALID),
    "a name that is too long": ({"name": "x" * 201}, INVALID),
    "a name of two lines": ({"name": "Acme\r\nBcc: everybody@example.com"}, INVALID),
    "a line separator in the name": ({"name": "Ac\u2028me"}, INVALID),
    "a control character in the address": ({"owner": {"user_id": "olga", "email": "o\u0001@acme.example"}}, INVALID),
    "no address": ({"owner": {"user_id": "olga", "email": "olga"}}, INVALID),
    "two addresses": ({"owner": {"user_id": "olga", "email": "olga@acme.example,eve@evil.example"}}, INVALID),
    "a header in the address": (
        {"owner": {"user_id": "olga", "email": "o@acme.example\r\nBcc: e@evil.example"}},
        INVALID,
    ),
    "an owner without an id": ({"owner": {"user_id": "", "email": "olga@acme.example"}}, INVALID),
    "a misspelt member": ({"ower": {}}, INVALID),
    "a plan of one's own": ({"plan": "builder"}, INVALID),
}


async def test_a_registration_that_cannot_be_taken(harness: Harness, api: Api, workspace: str) -> None:
    before = await everything(harness)
    async with api.of({"sub": "host", "scope": "workspaces:write"}) as host:
        bodies = {name: WORKSPACE | change for name, (change, _) in REGISTRATIONS.items()}
        got = await outcomes(host, "PUT", f"/v1/workspaces/{workspace}", bodies)
        ids = [await host.put(f"/v1/workspaces/{bad}", json=WORKSPACE) for bad in ("-", "a%20b", "%3Cb%3E", "x" * 129)]

    assert {name: expected for name, (_, expected) in REGISTRATIONS.items()} == got
    assert {(answer.status_code, problem_of(answer)) for answer in ids} == {INVALID}
    assert await everything(harness) == before


async def test_markup_in_a_name_is_text(harness: Harness, api: Api) -> None:
    name = '<img src=x onerror="alert(1)">'
    async with api.of({"sub": "host", "scope": "workspaces:write"}) as host:
        answer = await host.put("/v1/workspaces/ws-markup", json=WORKSPACE | {"name": name})

    assert (answer.status_code, answer.json()["name"], answer.headers["content-type"]) == (
        200,
        name,
        "application/json",
    )


@pytest.mark.parametrize("purchase_id", ["nonsense", "0", "%27", "0197e0a4-5b7c-7d10-8f43"])
async def test_an_id_that_can_be_no_purchases(
    api: Api, staff: httpx.AsyncClient, workspace: str, purchase_id: str
) -> None:
    async with api.owner(workspace) as owner:
        answers = [
            await owner.get(f"/v1/workspaces/{workspace}/purchases/{purchase_id}"),
            await staff.get(f"/v1/admin/purchases/{purchase_id}"),
            await staff.post(f"/v1/admin/purchases/{purchase_id}/deliver"),
        ]

    assert {(answer.status_code, problem_of(answer)) for answer in answers} == {INVALID}
