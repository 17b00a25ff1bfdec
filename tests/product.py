"""The running product that journeys and browsers share: fixtures, to be named in a suite's conftest."""

from collections.abc import AsyncIterator

import pytest

from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.reconciliation_check import check_reconciliation


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    """The whole product, running: every service as a process of its own, on the embedded parts.

    Its database is thrown away, and nothing here ends PostgreSQL: it writes no commit to the disk.
    """
    stack = EmbeddedStack(
        directory=tmp_path_factory.mktemp("stack"),
        report=lambda name, text: print(f"{name}: {text}"),
        forgetful=True,
    )
    async with stack:
        yield stack


@pytest.fixture
async def driver(stack: EmbeddedStack) -> AsyncIterator[Driver]:
    """Drives the stack as its users would. Whatever a journey did, at its end all reconciles."""
    async with Driver(stack.describe()) as driver:
        yield driver
        await driver.end_mishaps()
        await driver.settle()
        await check_reconciliation(driver, *driver.shops)
