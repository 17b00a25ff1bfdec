"""Only a super_admin administers add-ons and plans; everyone reads the price lists."""

import base64
import json
from typing import Any

import pytest

from tests.integration.catalog.conftest import ADDONS, STAFF, Catalog

SOME_ID = "0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31"
ADMIN_ROUTES = [
    ("GET", ADDONS),
    ("POST", ADDONS),
    ("GET", f"{ADDONS}/{{id}}"),
    ("PATCH", f"{ADDONS}/{{id}}"),
    ("DELETE", f"{ADDONS}/{{id}}"),
    ("GET", "/v1/admin/plans/builder"),
    ("PATCH", "/v1/admin/plans/builder"),
    ("GET", "/v1/admin/audit"),
]
each_admin_route = pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES, ids=lambda part: part)

NO_GOOD: dict[str, dict[str, Any]] = {
    "expired": STAFF | {"expires_in": -120},
    "for another audience": STAFF | {"audience": "somebody-else"},
    "of another issuer": STAFF | {"issuer": "https://evil.test"},
}
NO_STAFF: dict[str, dict[str, Any]] = {
    "owner": {"sub": "usr_dana", "email": "dana@northwind.example", "workspaces": {"ws_northwind": "owner"}},
    "admin": {"sub": "usr_ada", "email": "ada@northwind.example", "workspaces": {"ws_northwind": "admin"}},
    "another platform role": STAFF | {"platform_role": "support"},
    "a service": {"sub": "svc_product", "email": "svc@product.example", "scope": "workspaces:write resources:write"},
}


async def answer(catalog: Catalog, method: str, path: str, *, token: str | None) -> Any:
    addon = await catalog.given_an_addon()
    body = {"name": "Changed", "price": "1.00"} if method in {"POST", "PATCH"} else None
    async with catalog.client(token) as somebody:
        got = await somebody.request(method, path.format(id=addon["id"]), headers={"If-Match": "*"}, json=body)
    assert [row.name for row in await catalog.rows()] == ["Setup"]
    return got


@each_admin_route
async def test_without_a_token_it_is_401_and_nothing_changes(catalog: Catalog, method: str, path: str) -> None:
    got = await answer(catalog, method, path, token=None)

    assert got.status_code == 401
    assert got.headers["www-authenticate"].startswith("Bearer")
    assert got.json()["type"].endswith("/unauthenticated")


@each_admin_route
@pytest.mark.parametrize("token", NO_GOOD)
async def test_a_token_that_is_no_good_is_401(catalog: Catalog, method: str, path: str, token: str) -> None:
    got = await answer(catalog, method, path, token=catalog.issuer.mint(NO_GOOD[token]))

    assert got.status_code == 401


async def test_an_unsigned_token_is_401(catalog: Catalog) -> None:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = STAFF | {"iss": "https://issuer.test", "aud": "quittance", "exp": 4102444800}
    token = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."

    got = await answer(catalog, "GET", ADDONS, token=token)

    assert got.status_code == 401


@each_admin_route
@pytest.mark.parametrize("who", NO_STAFF)
async def test_everyone_but_a_super_admin_is_403(catalog: Catalog, method: str, path: str, who: str) -> None:
    got = await answer(catalog, method, path, token=catalog.issuer.mint(NO_STAFF[who]))

    assert got.status_code == 403
    assert got.json()["type"].endswith("/forbidden")


@each_admin_route
async def test_who_may_not_learns_nothing_of_a_bad_body_or_an_unknown_id(
    catalog: Catalog, method: str, path: str
) -> None:
    async with catalog.client(catalog.issuer.mint(NO_STAFF["owner"])) as owner:
        got = await owner.request(method, path.format(id="nonsense"), json={"nonsense": True})

    assert got.status_code == 403


@pytest.mark.parametrize("addon_id", [SOME_ID, "nonsense", "0", "ü"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_addon_is_404(catalog: Catalog, method: str, addon_id: str) -> None:
    body = {"is_active": True} if method == "PATCH" else None
    async with catalog.staff() as staff:
        got = await staff.request(method, f"{ADDONS}/{addon_id}", headers={"If-Match": "*"}, json=body)

    assert got.status_code == 404
    assert got.json()["type"].endswith("/addon-not-found")


async def test_the_price_list_needs_no_token(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon(is_active=True)

    assert [addon["slug"]] == [shown["slug"] for shown in await catalog.price_list()]


async def test_every_admin_route_is_in_this_files_list(catalog: Catalog) -> None:
    documented = {
        (method.upper(), path.replace("{addon_id}", "{id}").replace("{slug}", "builder"))
        for path, operations in catalog.api.openapi()["paths"].items()
        for method in operations
        if path.startswith("/v1/admin/")
    }

    assert documented == set(ADMIN_ROUTES)


@pytest.mark.parametrize(("path", "methods"), [(ADDONS, "GET, POST"), (f"{ADDONS}/{SOME_ID}", "GET, PATCH, DELETE")])
async def test_another_method_is_405_and_all_that_are_possible_are_named(
    catalog: Catalog, path: str, methods: str
) -> None:
    async with catalog.staff() as staff:
        got = await staff.put(path, json={})

    assert (got.status_code, got.headers["allow"]) == (405, methods)
