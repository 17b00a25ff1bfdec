"""Every page of a service, and what becomes of somebody who asks for it: what the tables of pages are held to."""

import importlib
import pkgutil
import re
import uuid
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Final

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

PACKAGES: Final[Mapping[str, str]] = {
    "catalog": "catalog.pages",
    "notifier": "notifier.pages",
    "purchases": "purchases.web.pages",
}
WORKSPACE_UNKNOWN: Final = "There is no such workspace"


def modules_of(package: str) -> Iterator[ModuleType]:
    """Each module of the package, imported."""
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        yield importlib.import_module(found.name)


def pages_of(service: str) -> list[APIRoute]:
    """The service's pages, of every router in its package, listed or not; by address."""
    found = [value for module in modules_of(PACKAGES[service]) for value in vars(module).values()]
    routes = [route for value in found if isinstance(value, APIRouter) for route in value.routes]
    pages = {(route.path, method_of(route)): route for route in routes if isinstance(route, APIRoute)}
    return [pages[address] for address in sorted(pages)]


def method_of(route: APIRoute) -> str:
    (method,) = (route.methods or set()) - {"HEAD"}
    return method


def each_page_of(service: str) -> pytest.MarkDecorator:
    """One test for each page."""
    return pytest.mark.parametrize("route", pages_of(service), ids=lambda route: f"{method_of(route)} {route.path}")


async def ask(browser: httpx.AsyncClient, route: APIRoute, workspace: str) -> httpx.Response:
    """Ask for the page, with ids of things that nobody made, and an empty form."""
    path = re.sub(r"\{(\w+)\}", lambda name: workspace if name[1] == "ws" else str(uuid.uuid4()), route.path)
    return await browser.request(method_of(route), path)


def word(answer: httpx.Response) -> str:
    """What became of it, in the words of the table."""
    if answer.status_code == 401 or answer.headers.get("location", "").startswith("/session/sign-in"):
        return "401"
    if answer.status_code == 403:
        return "403"
    return "404" if answer.status_code == 404 and WORKSPACE_UNKNOWN in answer.text else "ok"
