"""One running stack for all journeys; each has workspaces of its own, and ends with books that agree.

With GOLDEN=compare, what each leaves at the edges is compared with `tests/golden` (`make unchanged`).
"""

from collections.abc import AsyncIterator, Generator

import pytest

from sandbox.driver import Scene
from sandbox.stack import EmbeddedStack
from tests.product import stack
from tests.reconciliation_check import check_reconciliation
from tests.recording.golden import PASSED, as_recorded, write_recorded

__all__ = ["scene", "stack"]


@pytest.fixture
async def scene(stack: EmbeddedStack, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """Drives the stack as its users would."""
    async with Scene(stack.describe()) as scene, as_recorded(scene, request):
        yield scene
        await scene.end_mishaps()
        await scene.settle()
        await check_reconciliation(scene, *scene.shops)


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
