"""One running stack for all journeys; each has workspaces of its own, and ends with a reconciliation check.

With GOLDEN=compare, what each leaves at the edges is compared with `tests/golden` (`make unchanged`).
"""

from collections.abc import AsyncIterator, Generator

import pytest

from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.product import stack
from tests.reconciliation_check import check_reconciliation
from tests.recording.golden import PASSED, as_recorded, write_recorded

__all__ = ["driver", "stack"]


@pytest.fixture
async def driver(stack: EmbeddedStack, request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    """Drives the stack as its users would."""
    async with Driver(stack.describe()) as driver, as_recorded(driver, request):
        yield driver
        await driver.end_mishaps()
        await driver.settle()
        await check_reconciliation(driver, *driver.shops)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep whether the journey itself passed: one that failed is not compared."""
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write what was recorded."""
    write_recorded(session, exitstatus)
