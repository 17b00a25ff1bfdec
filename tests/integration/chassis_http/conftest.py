"""A service as all of them are built, on a real server, with a real issuer beside it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import Field
from starlette.responses import StreamingResponse

from chassis.problems import Problem
from chassis.process.settings import ServiceSettings
from chassis.web.auth import CurrentCaller, TokenVerifier, require_scope, require_staff
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer
from chassis.web.web import Body, Text, web_app
from tests.fakes.issuer import AUDIENCE, ISSUER, Issuer, an_issuer

FRONT_END = "https://app.example.com"


class Order(Body):
    name: Annotated[str, Field(max_length=20)]
    count: Annotated[int, Field(gt=0, lt=100)]
    note: str | None = None
    labels: tuple[str, ...] = ()


@dataclass
class Service:
    """A running service."""

    app: FastAPI
    client: httpx.AsyncClient
    issuer: Issuer
    port: int
    calls: list[str]

    async def as_caller(self, method: str, path: str, *, token: str, **request: Any) -> httpx.Response:
        """Send a request with a bearer token."""
        return await self.client.request(method, path, headers={"Authorization": f"Bearer {token}"}, **request)

    def recognises_callers_with(self, jwks: Jwks) -> None:
        """Start with these keys, as after a restart."""
        self.app.state.verifier = TokenVerifier(jwks, ISSUER, AUDIENCE)


@pytest.fixture(scope="session")
async def running() -> AsyncIterator[Service]:
    calls: list[str] = []
    app = _app(calls)
    async with (
        an_issuer() as issuer,
        HttpServer(app, "127.0.0.1", 0, name="service", graceful_seconds=2) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client,
    ):
        yield Service(app=app, client=client, issuer=issuer, port=server.port, calls=calls)


@pytest.fixture
async def service(running: Service) -> Service:
    """As it is right after its start."""
    running.issuer.recover()
    running.calls.clear()
    running.client.cookies.clear()
    running.recognises_callers_with(Jwks(running.issuer.url))
    return running


@pytest.fixture
def issuer(service: Service) -> Issuer:
    return service.issuer


def _app(calls: list[str]) -> FastAPI:
    settings = ServiceSettings(
        app_env="testing", allowed_return_origins=(FRONT_END,), public_base_url="https://billing.example.com"
    )
    app = web_app("An example", settings)
    app.include_router(_open_routes(calls))
    app.include_router(_guarded_routes(calls))
    return app


def _open_routes(calls: list[str]) -> APIRouter:
    routes = APIRouter(prefix="/v1")

    @routes.post("/orders/{order_id}")
    async def place_order(order_id: Text, order: Order) -> dict[str, Any]:
        calls.append(order_id)
        return {"order_id": order_id, "name": order.name}

    @routes.get("/orders")
    async def find_orders(q: Text = "", limit: Annotated[int, Field(le=100)] = 10) -> dict[str, Any]:
        return {"q": q, "limit": limit}

    @routes.get("/broken")
    async def broken() -> None:
        raise RuntimeError("password=hunter2 at db.internal")

    @routes.get("/half")
    async def half() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"the first half"
            raise RuntimeError("hunter2")

        return StreamingResponse(parts())

    @routes.get("/refused")
    async def refused() -> None:
        raise Problem(409, "already-done", "This was done before", headers={"Retry-After": "1"}, order_id="o1")

    return routes


def _guarded_routes(calls: list[str]) -> APIRouter:
    routes = APIRouter(prefix="/v1")

    @routes.get("/me")
    async def read_me(caller: CurrentCaller) -> dict[str, Any]:
        return {"subject": caller.subject, "email": caller.email, "workspaces": dict(caller.workspaces)}

    @routes.post("/me")
    async def change_me(caller: CurrentCaller) -> dict[str, Any]:
        calls.append(caller.subject)
        return {"subject": caller.subject}

    @routes.get("/staff")
    async def staff_only(caller: CurrentCaller) -> None:
        require_staff(caller)

    @routes.get("/scoped")
    async def scoped_only(caller: CurrentCaller) -> None:
        require_scope(caller, "workspaces:write")

    return routes
