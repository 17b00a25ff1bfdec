"""The running parts that every suite may ask for. A part that cannot be had fails its tests; nothing is skipped."""

import os
from collections.abc import AsyncIterator

import pytest

from sandbox.stack import EmbeddedStack
from tests.stack.kafka import a_kafka
from tests.stack.postgres import NewDatabase, a_postgres, fresh_databases

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
os.environ.setdefault("SANDBOX_PORTS", f"{20_000 + WORKER * 1_250}-{20_000 + (WORKER + 1) * 1_250}")


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a running PostgreSQL, for a role that may create databases."""
    async with a_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
async def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Bootstrap servers of a running broker that has the topics of the contracts."""
    async with a_kafka(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture
async def database_url(postgres: str) -> AsyncIterator[NewDatabase]:
    """Makes empty databases: `url = await database_url()`; they go when the test ends."""
    async with fresh_databases(postgres) as new_database:
        yield new_database


@pytest.fixture(scope="module")
async def module_database_url(postgres: str) -> AsyncIterator[NewDatabase]:
    """The same for the tests of one module together."""
    async with fresh_databases(postgres) as new_database:
        yield new_database


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    """The whole product, running: every service as a process of its own, on the embedded parts."""
    directory = tmp_path_factory.mktemp("stack")
    async with EmbeddedStack(directory=directory, report=lambda name, text: print(f"{name}: {text}")) as stack:
        yield stack
