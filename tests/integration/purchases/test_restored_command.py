"""`python -m purchases restored` says how a restored copy stands, and ends its reading back by a person's word."""

import asyncio
import os
import sys
from typing import Final

import pytest

from chassis.database.database import Database
from chassis.recovery import epochs
from purchases.main import MIGRATIONS
from tests.stack.postgres import NewDatabase, Template

BEGUN: Final = "insert into epochs (epoch, reason, missing_facts) values (1796083200, 'Kafka has more', 3)"


async def run(url: str, *words: str) -> tuple[int | None, str]:
    """Run the command as an operator does; return its exit status and all that it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "purchases", "restored", *words),
        env=os.environ | {"APP_ENV": "testing", "DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.fixture
async def url(database_url: NewDatabase, template: Template) -> str:
    return await database_url(like=await template(MIGRATIONS))


async def given_a_restored_copy(database: Database) -> None:
    async with database.transaction() as session:
        await (await session.connection()).exec_driver_sql(BEGUN)


async def test_a_ledger_that_is_whole_has_nothing_to_be_read_back(url: str) -> None:
    status, said = await run(url)

    assert (status, "selling goes on" in said) == (0, True)


async def test_it_says_what_is_read_back_and_changes_nothing(url: str) -> None:
    async with Database(url, name="restored-command") as database:
        await given_a_restored_copy(database)

        status, said = await run(url)

        assert (status, "1796083200" in said, "Kafka has more" in said) == (1, True, True)
        async with database.reading() as session:
            assert await epochs.is_recovering(session)


async def test_nobody_ends_it_without_saying_why(url: str) -> None:
    async with Database(url, name="restored-command") as database:
        await given_a_restored_copy(database)

        for words in (("--force",), ("--force", "--reason", " ")):
            status, said = await run(url, *words)
            assert (status, "--force needs --reason" in said) == (2, True)

        async with database.reading() as session:
            assert await epochs.is_recovering(session)


async def test_ended_by_force_it_keeps_who_did_and_why_and_selling_goes_on(url: str) -> None:
    async with Database(url, name="restored-command") as database:
        await given_a_restored_copy(database)

        status, _ = await run(url, "--force", "--reason", "we sell, and look after it")

        assert status == 0
        async with database.reading() as session:
            assert not await epochs.is_recovering(session)
            ended = await (await session.connection()).exec_driver_sql("select * from epochs where epoch > 0")
            [row] = ended.mappings().all()
    assert row["end_reason"] == "we sell, and look after it"
    assert row["ended_by"].startswith("operator:")
    assert row["ended_at"] is not None
