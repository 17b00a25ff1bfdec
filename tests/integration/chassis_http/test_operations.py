"""The operations port: what Kubernetes and Prometheus ask."""

from collections.abc import AsyncIterator

import httpx
import pytest

from chassis.process.health import Health, ops_app
from chassis.web.server import HttpServer
from tests.integration.chassis_http.conftest import Service


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock=clock)


@pytest.fixture
async def ops(health: Health) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        HttpServer(ops_app(health), "127.0.0.1", 0, name="ops", graceful_seconds=1) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client,
    ):
        yield client


async def test_a_loop_that_stopped_turning_is_not_alive(ops: httpx.AsyncClient, health: Health, clock: Clock) -> None:
    health.beat("relay", limit=5)
    assert (await ops.get("/livez")).status_code == 200

    clock.now = 6
    answer = await ops.get("/livez")

    assert (answer.status_code, answer.json()["late"]) == (503, {"relay": 6.0})


async def test_a_broken_dependency_makes_it_unready_but_not_dead(ops: httpx.AsyncClient, health: Health) -> None:
    async def ping() -> None:
        raise ConnectionError("password=hunter2")

    health.check("database", ping)

    answer = await ops.get("/readyz")

    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "failed"})
    assert "hunter2" not in answer.text
    assert (await ops.get("/livez")).status_code == 200


async def test_requests_are_measured_by_route_and_not_by_path(ops: httpx.AsyncClient, service: Service) -> None:
    await service.client.post("/v1/orders/a-unique-id", json={"name": "a", "count": 1})
    await service.client.get("/a-unique-path")
    await service.client.request("BREW", "/v1/orders")

    text = (await ops.get("/metrics")).text

    assert 'route="/v1/orders/{order_id}",status="200"' in text
    assert "a-unique" not in text
    assert "BREW" not in text


async def test_only_reading_is_possible(ops: httpx.AsyncClient) -> None:
    assert (await ops.head("/livez")).status_code == 200
    assert (await ops.post("/livez")).status_code == 405
    assert (await ops.get("/")).status_code == 404
