"""Every command that is deployed runs in its image, as restricted as in compose, on the embedded stack."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from sandbox.environment import Addresses, service_environment, shared_settings
from sandbox.ports import free_port
from sandbox.processes import DATABASES, SERVICES, Service, clean_environment
from sandbox.stack import EmbeddedStack
from tests.images.engine import Built, Engine
from tests.images.images import WRITE, Container, answer, ended, started, until_answers
from tests.unit.deploy.compose import SERVICES as COMPOSE
from tests.unit.deploy.compose import command

RELAYS: Final = tuple(
    Service(name, command(name), None, free_port(), command(name)[0])
    for name in COMPOSE
    if "command" in COMPOSE[name] and command(name)[-1] == "relay"
)
DEPLOYED: Final = (*SERVICES, *RELAYS)
STATUS: Final = "print(open('/proc/1/status').read())"


def image_of(service: Service) -> str:
    return str(COMPOSE[service.name]["image"]).removeprefix("quittance/")


def settings(stack: EmbeddedStack, service: Service) -> dict[str, str]:
    """What the embedded stack would give the process, without what this machine has."""
    given = service_environment(
        service,
        addresses=Addresses({**stack.addresses.ports, f"{service.name}-ops": operations_port(stack, service)}),
        shared=shared_settings(stack.addresses, stack.broker, stack.webhook_secret),
        database_urls=stack.infrastructure.database_urls,
    )
    return {name: value for name, value in given.items() if name not in clean_environment()}


def operations_port(stack: EmbeddedStack, service: Service) -> int:
    return stack.addresses.ports.get(f"{service.name}-ops", service.ops_port)


def job_names() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """The jobs of the compose file that prepare a database, by name: the database and the command."""
    return {
        name: (database.name, words)
        for database in DATABASES
        for words in database.prepare
        for name in COMPOSE
        if command_of(name) == words
    }


def command_of(name: str) -> tuple[str, ...]:
    return command(name) if "command" in COMPOSE[name] else ()


@pytest.fixture(scope="module")
def migrated(engine: Engine, images: Mapping[str, Built], parts: EmbeddedStack) -> Mapping[str, list[int]]:
    """Every job of the databases, run twice: the exit statuses."""
    statuses: dict[str, list[int]] = {}
    for name, (database, words) in job_names().items():
        service = next(service for service in SERVICES if service.database == database)
        for _ in range(2):
            with started(
                engine, images[database].name, words, like=name, environment=settings(parts, service)
            ) as container:
                statuses.setdefault(name, []).append(ended(container))
    return statuses


@pytest.fixture(scope="module", params=DEPLOYED, ids=lambda service: service.name)
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


@pytest.fixture(scope="module")
def container(
    service: Service,
    engine: Engine,
    images: Mapping[str, Built],
    parts: EmbeddedStack,
    migrated: Mapping[str, list[int]],
) -> Iterator[Container]:
    image = images[image_of(service)].name
    environment = settings(parts, service)
    with started(engine, image, service.command, like=service.name, environment=environment) as container:
        until_answers(container, operations_port(parts, service), "/readyz")
        yield container


def test_every_process_of_the_compose_file_is_tried() -> None:
    ours = {name for name, service in COMPOSE.items() if service.get("stop_grace_period")}

    assert {name for name in ours if not command(name)[0].startswith("sandbox.")} == {one.name for one in DEPLOYED}


def test_every_job_that_prepares_a_database_ends_well_and_may_run_again(migrated: Mapping[str, list[int]]) -> None:
    assert {name: [0, 0] for name in ("migrate-catalog", "seed-catalog", "migrate-purchases", "migrate-notifier")} == {
        **migrated
    }


def test_its_probes_answer(container: Container, service: Service, parts: EmbeddedStack) -> None:
    port = operations_port(parts, service)

    assert {path: answer(port, path) for path in ("/livez", "/readyz", "/metrics")} == {
        "/livez": 200,
        "/readyz": 200,
        "/metrics": 200,
    }


def test_its_health_is_asked_without_a_shell(container: Container) -> None:
    assert container.engine.succeeds("exec", container.name, "python", "/app/healthcheck.py")
    assert not container.engine.succeeds("exec", container.name, "python", "/app/healthcheck.py", "http://127.0.0.1:9/")


def test_a_write_to_the_root_is_refused(container: Container) -> None:
    """By the file system, not by an owner: root itself could not."""
    assert container.python(WRITE).split() == ["EROFS"] * 3


def test_it_runs_as_nobody_and_has_no_right_and_gets_none(container: Container) -> None:
    lines = (line.split(":", 1) for line in container.python(STATUS).splitlines())
    status = {name: value.split() for name, value in lines}

    assert status["Uid"] == status["Gid"] == ["10001"] * 4
    assert {status[name][0].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
    assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])


def test_it_may_use_as_much_memory_as_compose_says(container: Container, service: Service) -> None:
    limit = json.loads(container.engine.podman("inspect", "--format={{.HostConfig.Memory}}", container.name))

    assert limit == int(COMPOSE[service.name]["mem_limit"].removesuffix("m")) * 2**20
    assert not container.state["OOMKilled"]


def test_sigterm_ends_it_in_time_and_well(container: Container, service: Service) -> None:
    """The last of its tests."""
    grace = int(COMPOSE[service.name]["stop_grace_period"].removesuffix("s"))

    seconds, status = container.stop(within=grace)

    assert status == 0, container.logs
    assert seconds < grace
    print(f"{service.name}: ended {seconds:.1f} s after SIGTERM")


def test_a_process_without_its_settings_says_which_and_does_not_start(
    engine: Engine, images: Mapping[str, Built], tmp_path: Path
) -> None:
    with started(
        engine, images["purchases"].name, ("purchases", "api"), like="purchases-api", environment={}
    ) as container:
        assert ended(container) != 0
        assert "database_url" in container.logs.lower()
