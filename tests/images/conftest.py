"""The engine, the images and what the services stand on, each once for the suite."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from sandbox.stack import EmbeddedStack
from tests.images.bases import make_stand_ins
from tests.images.engine import ROOT, Built, Engine
from tests.images.images import IMAGES, Builder


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(ROOT / ".cache" / "images")


@pytest.fixture(scope="session")
def builder(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(engine, make_stand_ins(engine), tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="session")
def images(builder: Builder) -> Mapping[str, Built]:
    """Every image, by the name of its service. Containers that a run before this one left are gone."""
    builder.engine.podman("rm", "--all", "--force", "--time=0")
    return {service: builder.build(service) for service in IMAGES}


@pytest.fixture(scope="session")
async def parts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    """PostgreSQL with empty databases, Kafka with its topics, Stripe, mail box and issuer; no service of ours."""
    directory: Path = tmp_path_factory.mktemp("parts")
    async with EmbeddedStack(directory=directory, services=()) as stack:
        yield stack
