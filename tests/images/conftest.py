"""The engine, the images and what the services stand on, each once for the suite."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from sandbox.stack import EmbeddedStack
from tests.images.bases import make_stand_ins
from tests.images.engine import ROOT, Built, Engine
from tests.images.images import IMAGES, Builder


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """No container is left, also none of a build that failed or a run that was killed: each holds a mount."""
    engine = Engine(ROOT / ".cache" / "images")
    engine.clear()
    yield engine
    engine.clear()


@pytest.fixture(scope="session")
def builder(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(engine, make_stand_ins(engine), tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="session")
def images(builder: Builder) -> Mapping[str, Built]:
    """Every image, by the name of its service."""
    return {service: builder.build(service) for service in IMAGES}


@pytest.fixture(scope="session")
async def parts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    """PostgreSQL with empty databases, Kafka with its topics, Stripe, mail box and issuer; no service of ours."""
    directory: Path = tmp_path_factory.mktemp("parts")
    async with EmbeddedStack(directory=directory, services=(), forgetful=True) as stack:
        yield stack
