"""The running product that journeys and browsers share: fixtures, to be named in a suite's conftest."""

from collections.abc import AsyncIterator

import pytest

from sandbox.driver import Scene
from sandbox.stack import EmbeddedStack
from tests.reconciliation_check import check_reconciliation


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    """The whole product, running: every service as a process of its own, on the embedded parts."""
    directory = tmp_path_factory.mktemp("stack")
    async with EmbeddedStack(directory=directory, report=lambda name, text: print(f"{name}: {text}")) as stack:
        yield stack


@pytest.fixture
async def scene(stack: EmbeddedStack) -> AsyncIterator[Scene]:
    """Drives the stack as its users would. Whatever a journey did, at its end the books agree."""
    async with Scene(stack.describe()) as scene:
        yield scene
        await scene.end_mishaps()
        await scene.settle()
        await check_reconciliation(scene, *scene.shops)
