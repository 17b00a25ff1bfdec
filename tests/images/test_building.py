"""What an image holds, and what a change of one service makes anew."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.images.bases import DOCKERFILE, default_bases
from tests.images.engine import ROOT, Built, Engine, EngineFailed
from tests.images.images import IMAGES, SOURCE, VERSION, Builder, revision
from tests.unit.deploy.compose import COMPOSE
from tests.unit.deploy.test_image import ROOTS, packages_of

INSTALLED = (
    "import json, importlib.metadata as m; "
    "print(json.dumps(sorted(d.metadata['Name'].lower().replace('_', '-') for d in m.distributions())))"
)
OURS = {
    "contracts",
    "chassis",
    "stripe_reader",
    "catalog",
    "purchases",
    "webhook_gateway",
    "notifier",
    "sandbox",
    "tests",
}
FILES = "import os, json; print(json.dumps([os.path.join(d, f) for d, _, fs in os.walk('/app') for f in fs]))"


def printed_by(engine: Engine, image: str, code: str) -> str:
    return engine.podman("run", "--rm", "--network=none", "--entrypoint=python", image, "-c", code)


def test_every_image_of_the_compose_file_is_built() -> None:
    assert {f"quittance/{service}" for service in IMAGES} == {
        line.split()[-1] for line in COMPOSE.read_text().splitlines() if line.strip().startswith("image: quittance/")
    }


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_says_what_it_is_and_where_it_comes_from(
    service: str, images: Mapping[str, Built], builder: Builder
) -> None:
    labels = images[service].labels
    own = {key.removeprefix("org.opencontainers.image."): value for key, value in labels.items()}

    assert f"quittance-{service}" == own["title"]
    assert (own["version"], own["revision"], own["source"]) == (VERSION, revision(), SOURCE)
    assert (own["licenses"], own["base.name"]) == ("Apache-2.0", builder.bases["PYTHON_IMAGE"])


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_runs_as_nobody_and_asks_for_its_health_without_a_shell(
    service: str, images: Mapping[str, Built]
) -> None:
    config = images[service].config

    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["python", "-m"]
    assert images[service].health == ["CMD", "python", "/app/healthcheck.py"]


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_holds_what_its_service_needs_and_nothing_else(
    service: str, images: Mapping[str, Built], engine: Engine
) -> None:
    """No test, no tool, no other service: what is installed is the part of the lock, and our own packages."""
    installed = set(json.loads(printed_by(engine, images[service].name, INSTALLED)))
    needed = {name.lower().replace("_", "-") for name in packages_of(service)}

    # Those of other systems are pinned too, and installed nowhere here.
    elsewhere = needed - installed
    assert installed - needed == ROOTS[service]
    assert elsewhere <= {"colorama", "pywin32", "backports-asyncio-runner"}, elsewhere


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_holds_no_file_of_the_build_and_no_test_of_ours(
    service: str, images: Mapping[str, Built], engine: Engine
) -> None:
    everything = [Path(file) for file in json.loads(printed_by(engine, images[service].name, FILES))]
    names = {file.name for file in everything}
    files = [file for file in everything if "site-packages" in file.parts]

    assert "healthcheck.py" in names
    assert names & {"uv", "uv.toml", "requirements.lock", "needed.lock", "subset.py", "pip"} == set()
    ours = [file for file in files if file.parts[file.parts.index("site-packages") + 1] in OURS]
    assert ours
    assert [file for file in ours if file.name == "conftest.py" or file.name.startswith("test_")] == []


def test_a_build_without_a_service_says_what_is_missing(builder: Builder) -> None:
    with pytest.raises(EngineFailed, match="please-give-build-arg-service"):
        builder.build("please-give-build-arg-service")


def test_the_bases_are_named_by_tag_and_no_digest_is_written_down() -> None:
    """Nobody looked one up: the release does."""
    assert set(default_bases()) == {"PYTHON_IMAGE", "UV_IMAGE"}
    assert "@sha256:" not in DOCKERFILE.read_text()


def test_a_change_of_one_service_makes_its_own_layer_anew_and_no_other(
    builder: Builder, images: Mapping[str, Built], tmp_path: Path
) -> None:
    context = copied_context(tmp_path)
    changed = context / "services/catalog/src/catalog/slugs.py"
    changed.write_text(changed.read_text() + "\nCHANGED = True\n")

    *kept, last = builder.build("catalog", context=context).layers

    assert kept == list(images["catalog"].layers[:-1])
    assert last != images["catalog"].layers[-1]
    assert builder.build("purchases", context=context).layers == images["purchases"].layers


def copied_context(directory: Path) -> Path:
    """What the Dockerfile copies, as it stands here."""
    for name in ("contracts", "libs", "services", "sandbox", "deploy"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.lock", ".dockerignore"):
        shutil.copy2(ROOT / name, directory / name)
    return directory
