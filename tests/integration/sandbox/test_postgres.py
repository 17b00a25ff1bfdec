"""The embedded PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from sandbox.postgres import PostgresServer
from tests.stack.postgres import embedded_postgres


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    async with embedded_postgres(tmp_path_factory.mktemp("postgres"), forgetful=True) as server:
        yield server


@pytest.fixture(scope="module")
async def owners(server: PostgresServer) -> dict[str, str]:
    return await server.add_owners(["catalog", "purchases"])


async def test_a_service_owns_its_database(owners: dict[str, str]) -> None:
    connection = await asyncpg.connect(owners["catalog"])

    await connection.execute("create table addon (id int primary key)")
    who, where = await connection.fetchrow("select current_user::text, current_database()::text")

    await connection.close()
    assert (who, where) == ("catalog", "catalog")


async def test_a_service_cannot_enter_the_database_of_another(owners: dict[str, str]) -> None:
    elsewhere = owners["catalog"].removesuffix("catalog") + "purchases"

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(elsewhere)


async def test_a_wrong_password_is_refused(owners: dict[str, str]) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(owners["catalog"], password="wrong")


async def test_what_was_committed_is_there_after_a_restart(server: PostgresServer) -> None:
    url = await server.add_owner("restarted")
    connection = await asyncpg.connect(url)
    await connection.execute("create table kept as select 7 as number")
    await connection.close()

    await server.process.stop()
    await server.start()

    connection = await asyncpg.connect(url)
    assert await connection.fetchval("select number from kept") == 7
    await connection.close()


async def test_it_leaves_no_file_behind(tmp_path: Path) -> None:
    async with embedded_postgres(tmp_path, forgetful=True) as server:
        assert server.directory.exists()

    assert not server.directory.exists()
    assert not server.process.running


async def test_unless_a_suite_asks_for_a_forgetful_one_it_is_durable_as_in_production(tmp_path: Path) -> None:
    """All that PostgreSQL does to keep a commit, and nothing that is said otherwise of it."""
    keeps = "('fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'wal_sync_method', 'commit_delay')"
    async with embedded_postgres(tmp_path) as durable:
        connection = await asyncpg.connect(durable.admin_url)
        settings = await connection.fetch(f"select name, setting, boot_val from pg_settings where name in {keeps}")
        await connection.close()

    assert len(settings) == 6
    assert [row["name"] for row in settings if row["setting"] != row["boot_val"]] == []
