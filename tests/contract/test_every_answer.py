"""Every answer of every service, on each of its ports, carries the headers that all are promised (SPEC §10)."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.routing import Mount
from starlette.types import ASGIApp

import catalog.openapi
import notifier.main.service
import purchases.openapi
from chassis.database.database import Database
from chassis.process.health import Health, ops_app
from chassis.process.settings import ServiceSettings
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer
from sandbox.ports import LOOPBACK
from tests.contract.sources import sources
from webhook_gateway.main import gateway_app
from webhook_gateway.settings import GatewaySettings
from webhook_gateway.webhook.asgi import PATHS
from webhook_gateway.webhook.metrics import WebhookMetrics
from webhook_gateway.webhook.webhook_secrets import signing_secrets

ROOT: Final = Path(__file__).parents[2]
ID: Final = "0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
KEPT_ON_PURPOSE: Final = ("/assets/", "/pricing", "/v1/addons", "/v1/plans")
"""Public lists with an ETag, and files that are named by what they hold."""
AT_LEAST: Final = {"catalog": 60, "purchases": 150, "notifier": 20}
"""Answers of routes that there are: who walks past them finds nothing wrong."""
HSTS: Final = "strict-transport-security"


class NoBroker:
    """The gateway's producer without Kafka: nothing is taken."""

    async def send(self, **_: Any) -> Any:
        raise AssertionError("nothing is published here")

    def renew(self) -> None: ...


def gateway(*, app_env: str) -> ASGIApp:
    """Its hot path in front of FastAPI, without a secret."""
    settings = GatewaySettings(app_env=app_env)
    signing = signing_secrets(given=(), protected=settings.protected)
    return gateway_app(settings=settings, signing=signing, producer=NoBroker(), metrics=WebhookMetrics())


def notifier_pages() -> ASGIApp:
    """Connected to nothing."""
    verifier = TokenVerifier(Jwks("https://issuer.example/jwks.json"), "https://issuer.example", "quittance")
    database = Database("postgresql://", name="notifier")
    return notifier.main.service.app(settings=ServiceSettings(app_env="local"), database=database, verifier=verifier)


APPS: Final[Mapping[str, ASGIApp]] = {
    "catalog": catalog.openapi.described_app(),
    "purchases": purchases.openapi.described_app(),
    "notifier": notifier_pages(),
    "webhook-gateway": gateway(app_env="testing"),
    "webhook-gateway without a secret": gateway(app_env="production"),
    "any operations port": ops_app(Health()),
}


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str

    @property
    def may_be_kept(self) -> bool:
        return self.path.startswith(KEPT_ON_PURPOSE)


def routes_of(app: ASGIApp) -> Iterator[Asked]:
    """Each route by each of its methods, and one that it does not have."""
    for path in (*PATHS, "/livez", "/readyz", "/metrics", "/", "/nowhere", "/a\x01b", "/docs/"):
        for method in METHODS:
            yield Asked(method, path)
    for route, prefix in flat(getattr(getattr(app, "_inner", app), "routes", ())):
        path = f"{prefix}{route.path}/swagger-ui.css" if isinstance(route, Mount) else f"{prefix}{route.path}"
        for name in getattr(route, "param_convertors", ()):
            path = path.replace("{" + name + "}", ID)
        for method in {*(getattr(route, "methods", None) or {"GET"}), "BREW", "OPTIONS"}:
            yield Asked(method, path)


def flat(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[Any, str]]:
    """FastAPI keeps a router that is included as it is, and looks into it with each request."""
    for route in routes:
        if (included := getattr(route, "original_router", None)) is not None:
            yield from flat(included.routes, prefix + route.include_context.prefix)
        else:
            yield route, prefix


@asynccontextmanager
async def served(app: ASGIApp, *, protected: bool) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        HttpServer(app, LOOPBACK, 0, protected=protected, graceful_seconds=1) as server,
        httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{server.port}", timeout=30) as client,
    ):
        yield client


def lacks(answer: httpx.Response, asked: Asked, *, protected: bool) -> list[str]:
    """What a browser, or a cache, cannot see in this answer."""
    headers = answer.headers
    policy, caching = headers.get("content-security-policy", ""), headers.get("cache-control", "")
    wrong = {
        "nosniff": headers.get_list("x-content-type-options") != ["nosniff"],
        "no-store": "no-store" not in caching and not (asked.may_be_kept and answer.is_success and caching),
        "one caching": len(headers.get_list("cache-control")) != 1,
        "CSP": not policy.startswith("default-src 'none'") or "frame-ancestors 'none'" not in policy,
        "one CSP": len(headers.get_list("content-security-policy")) != 1,
        "HSTS": (HSTS in headers) is not protected,
    }
    return [name for name, is_wrong in wrong.items() if is_wrong]


@pytest.mark.parametrize("protected", [True, False], ids=["protected", "local"])
@pytest.mark.parametrize("name", APPS)
async def test_every_route_and_what_is_none_answers_with_the_promised_headers(name: str, protected: bool) -> None:
    app, wrong, known = APPS[name], {}, 0
    async with served(app, protected=protected) as client:
        for asked in routes_of(app):
            answer = await client.request(asked.method, httpx.URL(str(client.base_url), raw_path=_raw(asked.path)))
            known += answer.status_code != 404
            if missing := lacks(answer, asked, protected=protected):
                wrong[f"{asked.method} {asked.path} {answer.status_code}"] = missing

    assert wrong == {}
    assert known >= AT_LEAST.get(name, 1)


def _raw(path: str) -> bytes:
    return path.replace("\x01", "%01").encode()


@pytest.mark.parametrize(
    ("name", "request_", "status"),
    [
        ("catalog", {"method": "POST", "url": "/v1/admin/addons", "content": b"x" * 300_000}, 413),
        ("purchases", {"method": "GET", "url": "/app/", "headers": {"Accept": "text/html"}}, 303),
        ("purchases", {"method": "GET", "url": "/nowhere", "headers": {"Accept": "text/html"}}, 404),
        ("notifier", {"method": "GET", "url": "/admin/parked-mails", "headers": {"Accept": "text/html"}}, 303),
        ("webhook-gateway", {"method": "POST", "url": "/billing/webhook", "content": b"x" * 600_000}, 413),
        ("webhook-gateway", {"method": "POST", "url": "/billing/webhook", "content": b"{"}, 400),
    ],
)
async def test_so_do_refusals_and_redirects(name: str, request_: dict[str, Any], status: int) -> None:
    async with served(APPS[name], protected=True) as client:
        answer = await client.request(**request_)

    assert answer.status_code == status
    assert lacks(answer, Asked(request_["method"], request_["url"]), protected=True) == []


def test_nothing_is_served_past_it() -> None:
    """Who builds a server of its own would have to do it all again."""
    importing = [
        str(path.relative_to(ROOT))
        for path in sources()
        if re.search(r"^\s*(?:import|from) uvicorn\b", path.read_text(), re.MULTILINE)
    ]

    assert importing == ["libs/chassis/src/chassis/web/server.py"]


def test_each_service_says_whether_it_is_protected() -> None:
    """`HttpServer` takes what says nothing for protected; what is built in a `main` says it."""
    calls = [
        (path.name, line.strip())
        for path in sources()
        for line in path.read_text().splitlines()
        if "HttpServer(" in line
    ]

    assert calls
    assert [call for call in calls if "protected=settings.protected" not in call[1]] == []
