"""Migrations go up and down one by one, by three at once, and hold up nobody who uses the tables meanwhile."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from catalog.main import MIGRATIONS as OF_CATALOG
from chassis.database import migrations
from chassis.database.database import plain_url
from chassis.database.migrations import migrate
from notifier.main import MIGRATIONS as OF_NOTIFIER
from purchases.main import MIGRATIONS as OF_PURCHASES
from tests.stack.postgres import NewDatabase

SERVICES: Final[Mapping[str, Path]] = {"catalog": OF_CATALOG, "notifier": OF_NOTIFIER, "purchases": OF_PURCHASES}
SCHEMA: Final = """
    select 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
        || coalesce(column_default, '') from information_schema.columns where table_schema = 'public'
    union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    union all select 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
        from pg_constraint where connamespace = 'public'::regnamespace
    union all select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select 'function ' || proname from pg_proc where pronamespace = 'public'::regnamespace
"""
ONE: Final = """
from alembic import op

from chassis.database.online import create_index_concurrently, drop_index_concurrently

revision = "0001"
down_revision = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    drop_index_concurrently("numbers_value", "numbers")
"""
ADDS_A_COLUMN: Final = 'op.execute("alter table numbers add column name text")'
MAKES_AN_INDEX: Final = 'create_index_concurrently("numbers_value", "numbers", ["value"])'
each_service = pytest.mark.parametrize("service", SERVICES)


async def rows(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(plain_url(url))
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def schema(url: str) -> list[str]:
    """All that there is but Alembic's own table, in order."""
    return sorted(line for line in await rows(url, SCHEMA) if "alembic_version" not in line)


@each_service
async def test_each_revision_goes_down_to_the_one_before_and_up_again(database_url: NewDatabase, service: str) -> None:
    url, path = await database_url(), SERVICES[service]
    line = [script.revision for script in ScriptDirectory(str(path)).walk_revisions()][::-1]
    for before, revision in zip([None, *line], line, strict=False):
        was = await schema(url)
        await asyncio.to_thread(migrate, url=url, migrations=path, revision=revision)
        made = await schema(url)
        await asyncio.to_thread(migrate, url=url, migrations=path, revision=before or "base", down=True)

        assert (revision, await schema(url)) == (revision, was)
        await asyncio.to_thread(migrate, url=url, migrations=path, revision=revision)
        assert (revision, await schema(url)) == (revision, made)


@each_service
async def test_three_at_once_end_well(database_url: NewDatabase, service: str) -> None:
    url = await database_url()
    ended = await asyncio.gather(*(migrating(url, SERVICES[service]) for _ in range(3)))

    assert [process.returncode for process in ended] == [0, 0, 0]
    (newest,) = ScriptDirectory(str(SERVICES[service])).get_heads()
    assert await rows(url, "select version_num from alembic_version") == [newest]


async def migrating(url: str, path: Path) -> asyncio.subprocess.Process:
    """A process of its own, as each job is: it has ended."""
    code = "import sys, pathlib; from chassis.database.migrations import migrate; "
    code += "migrate(url=sys.argv[1], migrations=pathlib.Path(sys.argv[2]))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, url, str(path))
    await process.wait()
    return process


@pytest.fixture
async def numbers(database_url: NewDatabase) -> str:
    """A database with a table of a thousand rows, and nothing migrated."""
    url = await database_url()
    await rows(url, "create table numbers as select value from generate_series(1, 1000) as value")
    return url


def line_of_one(folder: Path, upgrade: str) -> Path:
    """Migrations that are one revision."""
    (folder / "versions").mkdir()
    text = "from sqlalchemy import MetaData\n\nfrom chassis.database.migrations import run_env\n\nrun_env(MetaData())\n"
    (folder / "env.py").write_text(text)
    (folder / "versions/0001_one.py").write_text(ONE.format(upgrade=upgrade))
    return folder


async def test_a_migration_that_waits_for_a_lock_lets_others_pass_and_tries_again(
    numbers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who came after it would wait behind it as long as it waits."""
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_SECONDS", 1)
    reader, other = await asyncpg.connect(plain_url(numbers)), await asyncpg.connect(plain_url(numbers))
    async with reader.transaction():
        await reader.fetch("select * from numbers")
        path = line_of_one(tmp_path, ADDS_A_COLUMN)
        migrating = asyncio.create_task(asyncio.to_thread(migrate, url=numbers, migrations=path))
        await asyncio.sleep(1)
        assert await asyncio.wait_for(other.fetchval("select count(*) from numbers"), timeout=20) == 1000
        await asyncio.sleep(2)
        assert not migrating.done()
    await asyncio.wait_for(migrating, timeout=60)
    await asyncio.gather(reader.close(), other.close())

    assert any("name" in line for line in await schema(numbers))


async def test_an_index_is_made_while_the_table_is_written_and_by_one_of_three(numbers: str, tmp_path: Path) -> None:
    path = line_of_one(tmp_path, MAKES_AN_INDEX)
    ended = await asyncio.gather(*(migrating(numbers, path) for _ in range(3)))

    assert [process.returncode for process in ended] == [0, 0, 0]
    assert await rows(numbers, "select indisvalid from pg_index where indexrelid = 'numbers_value'::regclass") == [True]
    await asyncio.to_thread(migrate, url=numbers, migrations=path, revision="base", down=True)
    assert not [line for line in await schema(numbers) if "numbers_value" in line]


async def test_an_index_that_a_try_before_left_invalid_is_made_anew(numbers: str, tmp_path: Path) -> None:
    await rows(numbers, "insert into numbers values (1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await rows(numbers, "create unique index concurrently numbers_value on numbers (value)")
    assert [line for line in await schema(numbers) if "numbers_value" in line]

    await asyncio.to_thread(migrate, url=numbers, migrations=line_of_one(tmp_path, MAKES_AN_INDEX))

    assert await rows(numbers, "select indisvalid from pg_index where indexrelid = 'numbers_value'::regclass") == [True]
