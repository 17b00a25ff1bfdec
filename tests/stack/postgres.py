"""A PostgreSQL for the tests: the one that is given, a container, or the embedded one; and fresh databases on it."""

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from sandbox.postgres import PostgresServer
from tests.stack.docker import docker_is_asked_for, running_postgres

NewDatabase = Callable[[], Awaitable[str]]
"""Makes an empty database and returns its URL."""


@asynccontextmanager
async def a_postgres(logs: Path) -> AsyncIterator[str]:
    """The URL of a role that may create databases: `DATABASE_URL`, docker with STACK=docker, else embedded."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
    elif docker_is_asked_for():
        with running_postgres() as url:
            yield url
    else:
        async with embedded_postgres(logs) as server:
            yield await server.add_owner("tests", may_create_databases=True)


@asynccontextmanager
async def embedded_postgres(logs: Path) -> AsyncIterator[PostgresServer]:
    server = PostgresServer(log=logs / "postgres.log")
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def fresh_databases(postgres: str) -> AsyncIterator[NewDatabase]:
    """A factory whose databases are dropped at the end."""
    made: list[str] = []

    async def new_database() -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        await _run(postgres, f"create database {name}")
        made.append(name)
        return f"{postgres.rpartition('/')[0]}/{name}"

    try:
        yield new_database
    finally:
        for name in made:
            await _run(postgres, f"drop database {name} with (force)")


def emptying(tables: Iterable[str]) -> str:
    """One statement that deletes every row; TRUNCATE makes files anew and takes fifty times as long for a few rows."""
    deleting = (f"_{table} as (delete from {table})" for table in tables)
    return f"with {', '.join(deleting)} select"


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
