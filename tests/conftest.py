"""The running parts that every suite may ask for. A part that cannot be had fails its tests; nothing is skipped."""

import functools
import gc
import os
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec

import httpx
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from sandbox import process
from tests.stack import forked
from tests.stack.kafka import a_kafka
from tests.stack.postgres import NewDatabase, Template, a_postgres, fresh_databases, migrated_templates

pytest_plugins = ["tests.log_scan"]

# How long a busy machine takes to make up an example says nothing of the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Every client makes a TLS context, which takes 20 ms of a processor and is the same for all.
httpx._transports.default.create_ssl_context = functools.cache(httpx._config.create_ssl_context)  # type: ignore[attr-defined]

# httpcore looks for it at every request; where it is not installed, that is a search of the whole path each time.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

if sys.platform == "linux" and os.environ.get("FORK") != "no":
    process.spawn = forked.spawn

SHARE_A_PRODUCT = ("tests/browser", "tests/faults", "tests/journeys")


class ByProduct(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """What shares a running product goes to one worker, so that it is started once; the rest by file, in order."""

    def _split_scope(self, nodeid: str) -> str:
        suite = "/".join(nodeid.split("/")[:2])
        return suite if suite in SHARE_A_PRODUCT else str(super()._split_scope(nodeid))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is alone with them at the end: products, then parts, then pure code."""
    rank = {suite: number for number, suite in enumerate((*SHARE_A_PRODUCT, "tests/integration"))}
    items.sort(key=lambda item: rank.get("/".join(item.nodeid.split("/")[:2]), len(rank)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Take ten thousand tests out of every later search for garbage, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByProduct:
    config.option.loadscopereorder = False
    return ByProduct(config, log)


def pytest_unconfigure() -> None:
    """End what forked the processes of this run."""
    forked.close()


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


@pytest.fixture(scope="session")
async def template(postgres: str) -> AsyncIterator[Template]:
    """A migrated database to copy: `await database_url(like=await template(MIGRATIONS))`."""
    async with migrated_templates(postgres) as template:
        yield template


@pytest.fixture
async def database_url(postgres: str) -> AsyncIterator[NewDatabase]:
    """Makes databases, empty ones as `url = await database_url()`; they go when the test ends."""
    async with fresh_databases(postgres) as new_database:
        yield new_database


@pytest.fixture(scope="module")
async def module_database_url(postgres: str) -> AsyncIterator[NewDatabase]:
    """The same for the tests of one module together."""
    async with fresh_databases(postgres) as new_database:
        yield new_database
