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
from chassis.migrations import migrate
from chassis.server import HttpServer
from sandbox.issuer import Issuer, application
from sandbox.ports import free_port
from tests.integration.catalog.conftest import ADDONS, STAFF
from tests.integration.catalog.test_facts import records_of
from tests.stack.postgres import NewDatabase


async def start(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "catalog", *arguments, env=os.environ | {"APP_ENV": "testing"} | environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(30):
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


async def change(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def seeded(database_url: NewDatabase) -> str:
    """A database made with the two commands."""
    url = await database_url()
    await run("migrate", DATABASE_URL=url)
    await run("seed", DATABASE_URL=url)
    return url


async def test_the_seed_is_the_professional_ai_setup_for_499_euro_inactive(seeded: str) -> None:
    addon, waiting_facts = await addons_in(seeded)

    assert (addon["slug"], addon["name"]) == ("professional-ai-setup", "Professional AI Setup")
    assert (addon["price_cents"], addon["currency"], addon["is_active"]) == (49900, "EUR", False)
    assert waiting_facts == 1


async def test_seeding_and_migrating_again_changes_nothing(seeded: str) -> None:
    before = await addons_in(seeded)

    await run("migrate", DATABASE_URL=seeded)
    await run("seed", DATABASE_URL=seeded)

    assert before == await addons_in(seeded)


async def test_seeding_again_leaves_what_an_admin_made_of_it(seeded: str) -> None:
    await change(seeded, "update plan_addons set name = 'Ours', price_cents = 1000, is_active = true, sequence = 2")
    before = await addons_in(seeded)

    await run("seed", DATABASE_URL=seeded)

    assert before == await addons_in(seeded)


async def test_seeding_leaves_an_addon_alone_that_took_the_name_before(database_url: NewDatabase) -> None:
    url = await database_url()
    await asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS)
    await change(
        url,
        "insert into plan_addons (id, slug, name, price_cents, created_at, updated_at)"
        " values (gen_random_uuid(), 'professional-ai-setup', 'Mine', 100, now(), now())",
    )
    before = await addons_in(url)

    await run("seed", DATABASE_URL=url)

    assert before == await addons_in(url)


async def test_two_seeds_at_once_plant_one(database_url: NewDatabase) -> None:
    url = await database_url()
    await asyncio.gather(*(run("migrate", DATABASE_URL=url) for _ in range(2)))

    await asyncio.gather(*(run("seed", DATABASE_URL=url) for _ in range(2)))

    assert len(await addons_in(url)) == 2


async def test_an_unknown_command_says_which_there_are() -> None:
    status, output = await ended(await start("sed"))

    assert status == 1
    assert "serve|migrate|seed" in output


@asynccontextmanager
async def serving(url: str, kafka_bootstrap: str) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """The process, reached by staff on its API and by an operator on its operations port."""
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
            assert "error" not in output.lower(), output


async def ready(operator: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if (await operator.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def test_one_process_serves_the_api_relays_and_ends_well(seeded: str, kafka_bootstrap: str) -> None:
    async with serving(seeded, kafka_bootstrap) as (staff, operator):
        addon = (await staff.post(ADDONS, json={"name": "Onboarding", "price": "99", "is_active": True})).json()

        [record] = await records_of(addon["id"], count=1, bootstrap=kafka_bootstrap)
        assert json.loads(record.value)["slug"] == "onboarding"
        assert [shown["slug"] for shown in (await staff.get("/v1/addons")).json()["items"]] == ["onboarding"]
        assert (await operator.get("/livez")).json()["loops"] == ["relay"]
        assert "billing_" in (await operator.get("/metrics")).text


async def test_nothing_of_operations_is_on_the_public_port(seeded: str, kafka_bootstrap: str) -> None:
    async with serving(seeded, kafka_bootstrap) as (staff, _):
        answers = [(await staff.get(path)).status_code for path in ("/livez", "/readyz", "/metrics")]

    assert answers == [404, 404, 404]
