"""A stack of its own whose processes are killed and whose parts go down; leases are short, so that it settles."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from signal import SIGKILL
from typing import Final

import pytest

from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.reconciliation_check import check_reconciliation

LEASE_SECONDS: Final = 3
SHORT: Final = {"PURCHASE_LEASE_SECONDS": str(LEASE_SECONDS), "SMTP_TIMEOUT_SECONDS": "5"}

KilledAt = Callable[[str, str], AbstractAsyncContextManager[None]]


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    """On Apache Kafka, whatever BROKER says: the fallback's groups do not survive what is done here.

    Its PostgreSQL writes each commit to the disk, as in production: some of what is killed here is its own.
    """
    directory = tmp_path_factory.mktemp("faults")
    async with EmbeddedStack(directory=directory, broker="kafka", extra_env=SHORT) as stack:
        yield stack


@pytest.fixture
async def driver(stack: EmbeddedStack) -> AsyncIterator[Driver]:
    """Drives the stack as its users would; the test says itself how it must reconcile."""
    async with Driver(stack.describe()) as driver:
        yield driver
        await driver.end_mishaps()


@pytest.fixture
async def agreed(driver: Driver) -> AsyncIterator[None]:
    """After the test everything is quiet, and all reconciles; a crash may have published a fact twice."""
    yield
    await driver.end_mishaps()
    await driver.settle()
    await check_reconciliation(driver, *driver.shops, facts_may_repeat=True)


@pytest.fixture
def killed_at(stack: EmbeddedStack) -> KilledAt:
    """`async with killed_at("notifier", "notifier.before-smtp"):` the process dies there, and runs again afterwards."""

    @asynccontextmanager
    async def killed_at(name: str, point: str) -> AsyncIterator[None]:
        await stack.restart(name, {"KILL_AT": point})
        process = stack.processes[name]
        try:
            yield
            died = await process.wait(within=30)
            assert died, f"{name} never reached {point}"
            assert process.exit_code == -SIGKILL
        finally:
            await stack.restart(name)

    return killed_at


async def becomes(driver: Driver, purchase_id: str, status: str, *, seconds: float = 60) -> None:
    """Wait until the purchase has this status."""

    async def arrived() -> bool:
        return bool((await driver.record(purchase_id))["status"] == status)

    await driver.until(arrived, f"purchase {purchase_id} is {status}", seconds=seconds)
