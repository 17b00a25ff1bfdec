"""What a request is logged and measured under is the path that the service's document names."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

import catalog.openapi
import purchases.openapi

APPS = {"catalog": catalog.openapi.described_app(), "purchases": purchases.openapi.described_app()}


def _operations() -> Iterator[object]:
    for service, app in APPS.items():
        for path, operations in app.openapi()["paths"].items():
            for method in operations:
                yield pytest.param(app, method, path, id=f"{service} {method} {path}")


@pytest.mark.parametrize(("app", "method", "path"), _operations())
async def test_a_route_is_known_by_its_whole_path(app: FastAPI, method: str, path: str) -> None:
    routes: list[str] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        finally:
            routes.append(scope["route"].path_format)

    transport = httpx.ASGITransport(watched, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.example") as client:
        await client.request(method, path)

    assert routes == [path]
