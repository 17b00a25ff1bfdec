"""`python -m catalog` as it is run: migrate, seed, serve until SIGTERM."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from catalog.main import MIGRATIONS
from chassis.database.database import plain_connection
from chassis.database.migrations import migrate
from chassis.web.server import HttpServer
from sandbox.issuer import Issuer, application
from sandbox.ports import free_port
from tests.integration.catalog.conftest import ADDONS, STAFF
from tests.integration.catalog.test_facts import records_of
from tests.stack.parked_rows import LONG_RESOLVED, parked_rows, until_pruned
from tests.stack.postgres import NewDatabase

PASSING = "groupcoordinatornotavailable"
"""What aiokafka says of a new broker's first group, before it tries again."""


async def start(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "catalog", *arguments, env=os.environ | {"APP_ENV": "testing"} | environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    return process.returncode, output.decode()


async def run(*arguments: str, **environment: str) -> None:
    status, output = await ended(await start(*arguments, **environment))
    assert status == 0, output


async def addons_in(url: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("select * from plan_addons order by slug")
        return [dict(row) for row in rows] + [await connection.fetchval("select count(*) from outbox")]
    finally:
        await connection.close()


@pytest.fixture
async def migrated_url(database_url: NewDatabase) -> str:
    """Return a database with the catalog's tables."""
    url = await database_url()
    await asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS)
    return url


async def test_migrate_and_seed_make_a_new_catalog_and_can_be_repeated(database_url: NewDatabase) -> None:
    url = await database_url()
    await run("migrate", DATABASE_URL=url)
    await run("seed", DATABASE_URL=url)
    before = await addons_in(url)

    await run("migrate", DATABASE_URL=url)

    assert before == await addons_in(url)
    assert [before[0]["slug"], before[1]] == ["professional-ai-setup", 3]


@asynccontextmanager
async def serving(url: str, kafka_bootstrap: str) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Provide the process, reached by staff on its API and by an operator on its operations port."""
    issuer = Issuer(issuer="https://issuer.test", audience="quittance")
    api, ops = free_port(), free_port()
    async with HttpServer(application(issuer), "127.0.0.1", 0) as keys:
        process = await start(
            DATABASE_URL=url,
            KAFKA_BOOTSTRAP_SERVERS=kafka_bootstrap,
            HTTP_HOST="127.0.0.1",
            HTTP_PORT=str(api),
            OPS_PORT=str(ops),
            JWT_ISSUER="https://issuer.test",
            JWT_AUDIENCE="quittance",
            JWKS_URL=f"http://127.0.0.1:{keys.port}/.well-known/jwks.json",
        )
        token = {"Authorization": f"Bearer {issuer.mint(STAFF)}"}
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{api}", headers=token) as staff,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{ops}") as operator,
        ):
            try:
                await ready(operator)
                yield staff, operator
            finally:
                process.send_signal(signal.SIGTERM)
                status, output = await ended(process)
            assert status == 0, output
            assert not [line for line in output.lower().splitlines() if "error" in line and PASSING not in line], output


async def ready(operator: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await operator.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def test_one_process_serves_the_api_relays_shows_itself_to_operators_and_ends_well(
    migrated_url: str, kafka_bootstrap: str
) -> None:
    async with serving(migrated_url, kafka_bootstrap) as (staff, operator):
        addon = (await staff.post(ADDONS, json={"name": "Onboarding", "price": "99", "is_active": True})).json()

        [record] = await records_of(addon["id"], count=1, bootstrap=kafka_bootstrap)
        assert json.loads(record.value)["slug"] == "onboarding"
        assert [shown["slug"] for shown in (await staff.get("/v1/addons")).json()["items"]] == ["onboarding"]
        assert (await operator.get("/livez")).json()["late"] == {}
        assert "billing_" in (await operator.get("/metrics")).text
        assert [(await staff.get(path)).status_code for path in ("/livez", "/readyz", "/metrics")] == [404, 404, 404]


async def test_it_deletes_what_is_resolved_for_90_days(migrated_url: str, kafka_bootstrap: str) -> None:
    async with plain_connection(migrated_url, name="test") as connection:
        await connection.execute(parked_rows("catalog"))

        async with serving(migrated_url, kafka_bootstrap) as (_, operator):
            await until_pruned(connection, [*LONG_RESOLVED])
            shown = (await operator.get("/metrics")).text

        assert f'billing_pruned_rows_total{{table="parked"}} {float(len(LONG_RESOLVED))}' in shown
