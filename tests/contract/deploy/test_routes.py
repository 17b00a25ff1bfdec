"""Every address that a service serves has a route to it, and Stripe's webhooks have one of their own."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from sandbox.front.routes import HOME, NOWHERE, ROUTES
from tests.contract.deploy.generated import ROOT
from tests.contract.deploy.workloads import PROTECTED, named, of_kind

SERVED: Final = {"catalog": "catalog", "purchases": "purchases-api"}
"""The Service of each description in contracts/openapi that people's clients use."""


def paths(description: str) -> list[str]:
    return sorted(json.loads((Path(ROOT) / f"contracts/openapi/{description}.json").read_text())["paths"])


def matches(overlay: str, route: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each path of a route: how it is compared, the path, its rule."""
    for rule in named(overlay, "HTTPRoute", route)["spec"]["rules"]:
        for match in rule["matches"]:
            yield match["path"]["type"], match["path"]["value"], rule


def chosen(overlay: str, route: str, path: str) -> dict[str, Any]:
    """Return the rule that the Gateway API prescribes: the exact path, else the longest prefix of whole segments."""
    found = [
        (kind == "Exact", len(value), rule)
        for kind, value, rule in matches(overlay, route)
        if path == value or (kind == "PathPrefix" and f"{path}/".startswith(f"{value.rstrip('/')}/"))
    ]
    return max(found, key=lambda one: one[:2])[2]


def leads_to(overlay: str, route: str, path: str) -> str:
    return str(chosen(overlay, route, path)["backendRefs"][0]["name"])


@pytest.mark.parametrize("overlay", PROTECTED)
@pytest.mark.parametrize("description", SERVED)
def test_every_path_of_the_api_leads_to_who_serves_it(overlay: str, description: str) -> None:
    given = [re.sub(r"\{\w+\}", "x", path) for path in paths(description)]

    assert {leads_to(overlay, "api", path) for path in given} == {SERVED[description]}


@pytest.mark.parametrize("overlay", PROTECTED)
def test_every_page_leads_to_who_shows_it_and_any_other_to_a_page_that_says_so(overlay: str) -> None:
    assert {path: leads_to(overlay, "pages", path) for path in ROUTES} == dict(ROUTES)
    nowhere = chosen(overlay, "pages", "/no/such/page")
    assert nowhere["filters"][0]["urlRewrite"]["path"]["replaceFullPath"] == NOWHERE
    assert chosen(overlay, "pages", "/")["filters"][0]["requestRedirect"]["path"]["replaceFullPath"] == HOME


@pytest.mark.parametrize("overlay", PROTECTED)
def test_webhooks_have_a_host_and_a_route_that_nothing_else_shares(overlay: str) -> None:
    hosts = {one["metadata"]["name"]: one["spec"]["hostnames"] for one in of_kind(overlay, "HTTPRoute")}
    taken = {(kind, value) for kind, value, _ in matches(overlay, "webhooks")}
    elsewhere = [rule for route in ("api", "pages") for _, _, rule in matches(overlay, route)]

    assert len({host for names in hosts.values() for host in names}) == len(hosts) == 3
    assert taken == {("Exact", path) for path in paths("webhook_gateway") if path != "/"}
    assert "webhook-gateway" not in str(elsewhere)


@pytest.mark.parametrize("overlay", PROTECTED)
def test_pages_have_the_origin_that_the_processes_know(overlay: str) -> None:
    [common] = [one["data"] for one in of_kind(overlay, "ConfigMap") if "PUBLIC_BASE_URL" in one.get("data", {})]

    assert [common["PUBLIC_BASE_URL"]] == [
        f"https://{one}" for one in named(overlay, "HTTPRoute", "pages")["spec"]["hostnames"]
    ]


@pytest.mark.parametrize("overlay", PROTECTED)
def test_a_route_leads_to_a_port_that_is_served(overlay: str) -> None:
    services = {one["metadata"]["name"]: one["spec"]["ports"][0]["port"] for one in of_kind(overlay, "Service")}
    backends = [
        (backend["name"], backend["port"])
        for route in of_kind(overlay, "HTTPRoute")
        for rule in route["spec"]["rules"]
        for backend in rule.get("backendRefs", [])
    ]

    assert set(backends) <= set(services.items())
