"""A PostgreSQL for the tests: the one that is given, a container, or the embedded one; and fresh databases on it."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import asyncpg

from chassis.database.migrations import migrate
from sandbox.postgres import PostgresServer
from tests.stack.docker import docker_is_asked_for, running_postgres

Template = Callable[[Path], Awaitable[str]]
"""The name of a database that nobody writes to, brought to the newest revision of these migrations."""


class NewDatabase(Protocol):
    """Makes a database, empty or a copy of a template, and returns its URL."""

    async def __call__(self, *, like: str | None = None) -> str: ...


@asynccontextmanager
async def a_postgres(logs: Path) -> AsyncIterator[str]:
    """The URL of a role that may create databases: `DATABASE_URL`, docker with STACK=docker, else embedded."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
    elif docker_is_asked_for():
        with running_postgres() as url:
            yield url
    else:
        async with embedded_postgres(logs, forgetful=True) as server:
            yield await server.add_owner("tests", may_create_databases=True)


@asynccontextmanager
async def embedded_postgres(logs: Path, *, forgetful: bool = False) -> AsyncIterator[PostgresServer]:
    server = PostgresServer(log=logs / "postgres.log", forgetful=forgetful)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def fresh_databases(postgres: str) -> AsyncIterator[NewDatabase]:
    """A factory whose databases are dropped at the end."""
    made: list[str] = []

    async def new_database(*, like: str | None = None) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        await _copy(postgres, like or "template1", name)
        made.append(name)
        return f"{postgres.rpartition('/')[0]}/{name}"

    try:
        yield new_database
    finally:
        for name in made:
            await _drop(postgres, name)


@asynccontextmanager
async def migrated_templates(postgres: str) -> AsyncIterator[Template]:
    """Each kept until the end, so that its migrations run once."""
    made: dict[Path, str] = {}

    async with fresh_databases(postgres) as new_database:

        async def template(migrations: Path) -> str:
            if migrations not in made:
                url = await new_database()
                await asyncio.to_thread(migrate, url=url, migrations=migrations)
                made[migrations] = url.rpartition("/")[2]
            return made[migrations]

        yield template


def emptying(tables: Iterable[str]) -> str:
    """One statement that deletes every row; TRUNCATE makes files anew and takes fifty times as long for a few rows."""
    deleting = (f"_{table} as (delete from {table})" for table in tables)
    return f"with {', '.join(deleting)} select"


async def _copy(postgres: str, template: str, name: str) -> None:
    """PostgreSQL gives whoever is still in the template five seconds to leave; a busy machine takes longer.

    Copying files takes half the processor time of copying through the log, where nothing has to reach the disk.
    """
    async with asyncio.timeout(60):
        while True:
            try:
                return await _run(postgres, f"create database {name} template {template} strategy file_copy")
            except asyncpg.ObjectInUseError:
                await asyncio.sleep(0.1)


async def _drop(postgres: str, name: str) -> None:
    """Only a superuser can send an autovacuum worker away, which `force` refuses then; it leaves by itself."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await _run(postgres, f"drop database {name} with (force)")
            except asyncpg.InsufficientPrivilegeError:
                await asyncio.sleep(0.1)


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
