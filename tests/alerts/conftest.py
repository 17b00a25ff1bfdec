"""The running product, scraped by Debian's Prometheus with the deployed rules, which call Debian's Alertmanager."""

from collections.abc import AsyncIterator

import pytest

from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.alerts.watch import Watch, watching

SHORT = {"SMTP_TIMEOUT_SECONDS": "2"}


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    """On Apache Kafka, whatever BROKER says: it is stopped and started here."""
    async with EmbeddedStack(directory=tmp_path_factory.mktemp("alerts"), broker="kafka", extra_env=SHORT) as stack:
        yield stack


@pytest.fixture(scope="package")
async def watch(stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watch]:
    """What Prometheus and Alertmanager see of it, from its start."""
    async with watching(stack, tmp_path_factory.mktemp("prometheus")) as watch:
        yield watch


@pytest.fixture
async def driver(stack: EmbeddedStack) -> AsyncIterator[Driver]:
    """Drives the stack as its users would."""
    async with Driver(stack.describe()) as driver:
        yield driver
