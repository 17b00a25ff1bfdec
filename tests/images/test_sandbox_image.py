"""The sandbox's image: what it stands in for runs as restricted as the product, and its job ends well."""

from collections.abc import Mapping

import pytest

from sandbox.ports import free_port
from sandbox.stack import EmbeddedStack
from tests.images.engine import Built, Engine
from tests.images.images import WRITE, ended, started, until_answers
from tests.unit.deploy.compose import SERVICES as COMPOSE
from tests.unit.deploy.compose import command


@pytest.mark.parametrize(("name", "path"), [("issuer", "/readyz"), ("stripe-sandbox", "/_sandbox/health")])
def test_a_stand_in_runs_as_restricted_as_the_product(
    name: str, path: str, engine: Engine, images: Mapping[str, Built]
) -> None:
    port = free_port()
    other = {"--port": f"--port={port}", "--host": "--host=127.0.0.1"}
    words = [other.get(word.partition("=")[0], word) for word in command(name)]
    assert path in COMPOSE[name]["healthcheck"]["test"][-1]

    with started(engine, images["sandbox"].name, words, like=name, environment={}) as container:
        until_answers(container, port, path)
        assert container.python(WRITE).split() == ["EROFS"] * 3
        grace = int(COMPOSE[name]["stop_grace_period"].removesuffix("s"))
        seconds, status = container.stop(within=grace)

    assert (status, seconds < grace) == (0, True)


def test_the_topics_may_be_made_again(engine: Engine, images: Mapping[str, Built], parts: EmbeddedStack) -> None:
    environment = {"KAFKA_BOOTSTRAP_SERVERS": parts.broker.bootstrap}

    image, words = images["sandbox"].name, command("topics")
    with started(engine, image, words, like="topics", environment=environment) as container:
        assert ended(container) == 0, container.logs
