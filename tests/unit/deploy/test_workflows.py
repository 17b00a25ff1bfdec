"""The workflows of a release and of the daily audit: what they may do, in which order, and whom they trust."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.unit.deploy.compose import ROOT
from tests.unit.deploy.test_image import ROOTS

RELEASE: Final = ROOT / ".github/workflows/release.yml"
WORKFLOWS: Final = sorted((ROOT / ".github/workflows").glob("*.yml"))
SCRIPTS: Final = ROOT / "deploy/release"
DIGEST: Final = "sha256:" + "0123456789abcdef" * 4


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job["steps"]]


def with_program(directory: Path, name: str, script: str) -> dict[str, str]:
    """The environment in which `name` is this shell script."""
    program = directory / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"}


def run(script: str, *words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", SCRIPTS / script, *words], cwd=ROOT, env=env, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("schema", "path"),
    [*(("github-workflows", path) for path in WORKFLOWS), ("dependabot", ROOT / ".github/dependabot.yml")],
    ids=lambda value: getattr(value, "name", value),
)
def test_it_follows_githubs_schema(schema: str, path: Path) -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run([checker, "--builtin-schema", f"vendor.{schema}", path], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_pinned_by_its_commit(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]

    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []


def test_each_job_has_the_rights_that_it_needs_and_no_other() -> None:
    documents = {path.name: yaml.safe_load(path.read_text()) for path in WORKFLOWS}
    read = {"contents": "read"}

    assert [document["permissions"] for document in documents.values()] == [{}] * len(documents)
    assert {
        (name, job): body["permissions"]
        for name, document in documents.items()
        for job, body in document["jobs"].items()
    } == {
        ("audit.yml", "audit"): read,
        ("release.yml", "check"): read,
        ("release.yml", "bases"): read,
        ("release.yml", "image"): {**read, "packages": "write", "id-token": "write"},
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_that_somebody_else_names_becomes_part_of_a_command(path: Path) -> None:
    """A branch may be called `$(curl …)`: what is not ours comes through the environment."""
    assert [step["name"] for step in steps(path) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_secret_but_the_jobs_own_token_is_read_and_each_job_ends(path: Path) -> None:
    assert "secrets." not in path.read_text()
    assert [name for name, job in jobs(path).items() if not job.get("timeout-minutes")] == []


def test_every_image_of_the_product_is_released_and_the_sandbox_is_not() -> None:
    assert {*jobs(RELEASE)["image"]["strategy"]["matrix"]["service"]} == {*ROOTS} - {"sandbox"}


def test_an_image_gets_its_version_after_it_was_signed_and_verified() -> None:
    commands = [step.get("run", "") for step in jobs(RELEASE)["image"]["steps"]]
    places = [
        next(place for place, command in enumerate(commands) if word in command)
        for word in ("push-by-digest=true", "cosign sign ", "verify.sh", "imagetools create --tag")
    ]

    assert places == sorted(places)
    assert "--tag" not in commands[places[0]]


def test_the_bases_and_their_digests_go_into_the_image_and_its_provenance() -> None:
    build = next(step["run"] for step in jobs(RELEASE)["image"]["steps"] if "buildx build" in step.get("run", ""))

    assert '--build-arg=PYTHON_IMAGE="$PYTHON_IMAGE"' in build
    assert '--build-arg=UV_IMAGE="$UV_IMAGE"' in build
    assert "image.base.digest=" in build
    assert "--provenance=mode=max" in build
    assert "--sbom=true" in build


def test_the_digests_of_the_bases_are_those_that_their_tags_have(tmp_path: Path) -> None:
    done = run("bases.sh", env=with_program(tmp_path, "docker", f"echo {DIGEST}"))

    assert done.stdout.splitlines() == [
        f"python=python:3.11-slim-bookworm@{DIGEST}",
        f"uv=ghcr.io/astral-sh/uv:0.13.8@{DIGEST}",
        f"buildkit=moby/buildkit:buildx-stable-1@{DIGEST}",
    ]


@pytest.mark.parametrize("answer", ["true", "echo sha256:short", "false"])
def test_a_base_without_a_digest_ends_the_release(answer: str, tmp_path: Path) -> None:
    done = run("bases.sh", env=with_program(tmp_path, "docker", answer))

    assert done.returncode != 0
    assert done.stdout == ""


def test_who_verifies_an_image_accepts_the_release_of_a_version_and_nothing_else(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    env = with_program(tmp_path, "cosign", f'printf "%s\\n" "$*" >> {asked}')

    done = run("verify.sh", f"registry.example/catalog@{DIGEST}", "acme/quittance", env=env)

    assert done.returncode == 0, done.stderr
    lines = asked.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["verify", "verify-attestation", "verify-attestation"]
    (pattern,) = {match[1] for line in lines if (match := re.search(r"--certificate-identity-regexp=(\S+)", line))}
    release = "https://github.com/acme/quittance/.github/workflows/release.yml@refs/tags/v1.2.3"
    assert re.fullmatch(pattern, release)
    for other in (
        release.replace("acme", "evil"),
        release.replace("refs/tags/v1.2.3", "refs/heads/main"),
        release.replace("release.yml", "releaseXyml"),
        f"{release}-evil",
        f"https://evil.example/{release}",
    ):
        assert not re.search(pattern, other), other


def test_an_image_by_its_tag_or_without_a_signature_is_not_accepted(tmp_path: Path) -> None:
    env = with_program(tmp_path, "cosign", "exit 1")

    assert run("verify.sh", "registry.example/catalog:1.2.3", "acme/quittance", env=env).returncode == 2
    assert run("verify.sh", f"registry.example/catalog@{DIGEST}", "acme/quittance", env=env).returncode == 1
