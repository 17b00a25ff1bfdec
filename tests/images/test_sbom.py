"""The SBOM of an image, as a release attests it: written by the image's own Python, of what is installed in it."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.images.engine import ROOT, Built, Engine
from tests.images.images import IMAGES
from tests.unit.deploy.test_image import ROOTS, lock, packages_of


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a release installs to write it, for the Python of the image."""
    directory = tmp_path_factory.mktemp("tools")
    directory.chmod(0o755)  # the image's user reads it
    uv = Path(sys.executable).with_name("uv")
    pinned = ROOT / "deploy/release/tools.lock"
    options = ("--quiet", "--python-version=3.11", f"--target={directory}", "--require-hashes", "--no-deps")
    subprocess.run([uv, "pip", "install", "--python", sys.executable, *options, "-r", pinned], check=True)
    return directory


def sbom(image: str, engine: Engine, tools: Path) -> dict[str, Any]:
    done = subprocess.run(
        ["sh", ROOT / "deploy/release/sbom.sh", image],
        env={**engine.environment, "ENGINE": " ".join(engine.command), "TOOLS": str(tools)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    written: dict[str, Any] = json.loads(done.stdout)
    return written


@pytest.mark.parametrize("service", IMAGES)
def test_it_names_every_package_of_the_image_with_its_version_and_no_other(
    service: str, images: Mapping[str, Built], engine: Engine, tools: Path
) -> None:
    written = sbom(images[service].name, engine, tools)

    components = {part["name"].lower().replace("_", "-"): part for part in written["components"]}
    pinned = {name: version(name) for name in packages_of(service) if name in components}
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    assert set(components) - set(pinned) == ROOTS[service]
    assert {name: components[name]["version"] for name in pinned} == pinned
    assert packages_of(service) - set(pinned) <= {"colorama", "pywin32"}
    assert [name for name in pinned if not components[name]["purl"].startswith(f"pkg:pypi/{name}@")] == []


def version(name: str) -> str:
    found = re.match(r"\S+==([^\s;\\]+)", lock()[name].text)
    assert found is not None
    return found[1]
