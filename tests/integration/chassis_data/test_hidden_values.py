"""A database's error says what is wrong and where, and never whose row or what value it was."""

import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.database.database import Database, sqlstate

SECRET = "olga@acme.test"
STATEMENTS = {
    "23505": "insert into people values (1, cast(:value as text))",
    "23502": "insert into people values (null, cast(:value as text))",
    "23514": "insert into people values (-1, cast(:value as text))",
    "22P02": "select cast(cast(:value as text) as uuid)",
    "22000": "select cast(:value as integer)",
}
"""By SQLSTATE: what fails so; the last one is asyncpg's own refusal of an argument."""


@pytest.fixture
async def database(database_url: Any) -> AsyncIterator[Database]:
    async with Database(await database_url(), name="test") as database:
        async with database.transaction() as session:
            await session.execute(text("create table people(id int primary key check (id > 0), email text unique)"))
            await session.execute(text("insert into people values (2, :value)"), {"value": SECRET})
        yield database


@pytest.mark.parametrize("state", STATEMENTS)
async def test_no_error_shows_a_value(database: Database, state: str) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.transaction() as session:
            await session.execute(text(STATEMENTS[state]), {"value": SECRET})

    error = caught.value
    published = "".join(traceback.format_exception(error)) + repr(error) + str(error) + repr(error.orig)
    assert SECRET not in published.replace("SECRET", "")
    assert SECRET.partition("@")[0] not in published
    if state != "22000":
        assert sqlstate(error) == state


async def test_which_constraint_it_was_is_still_said(database: Database) -> None:
    with pytest.raises(DBAPIError, match="people_email_key") as caught:
        async with database.transaction() as session:
            await session.execute(text(STATEMENTS["23505"]), {"value": SECRET})

    cause = caught.value.orig.__cause__ if caught.value.orig else None
    assert getattr(cause, "constraint_name", None) == "people_email_key"
