"""What this repository publishes opens nothing: each secret in it is on the list of those that a deployment refuses."""

import base64
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from chassis.process.secret_shapes import (
    is_placeholder,
    is_published,
    session_secret_fault,
    stripe_key_fault,
    webhook_secret_fault,
)

ROOT: Final = Path(__file__).parents[3]
WEBHOOK_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/=_-]*")
KEY: Final = re.compile(r"[sr]k_(?:test|live)_[A-Za-z0-9_]*")
SESSION_SECRET: Final = re.compile(r"""SESSION_SECRET["']?\s*[:=]\s*["']?([^\s"',{}\]]{8,})""")
CLIENT_SECRET: Final = re.compile(
    r"""(?:--client-secret=|OIDC_CLIENT_SECRET["']?\s*[:=]\s*["']?)((?!client_secret\b)[^\s"',{}]{8,})"""
)
PASSWORD: Final = re.compile(r"postgresql://\w+:([^@\s$]{8,})@|POSTGRES_PASSWORD: (\S+)")


def texts() -> Iterator[tuple[str, str]]:
    """Every file that git knows or would take, that is text; but this one, whose patterns look like what they find."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        file = ROOT / name
        if file.is_file() and file != Path(__file__) and b"\0" not in (found := file.read_bytes()):
            yield name, found.decode("utf-8", "replace")


TREE: Final = dict(texts())


def values(pattern: re.Pattern[str]) -> set[tuple[str, str]]:
    """Where it stands, and what."""
    return {
        (name, _read(name, next((group for group in match.groups() if group), match[0])))
        for name, text in TREE.items()
        for match in pattern.finditer(text)
    }


def _read(name: str, value: str) -> str:
    """What kustomize renders of a Secret is in base64."""
    if not name.startswith("deploy/k8s/rendered/"):
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:
        return value


def test_the_tree_is_read() -> None:
    assert len(TREE) > 500
    assert "docker-compose.yml" in TREE


def test_no_webhook_secret_of_the_tree_opens_a_protected_gateway() -> None:
    assert [(name, secret) for name, secret in values(WEBHOOK_SECRET) if webhook_secret_fault(secret) is None] == []


def test_no_key_of_the_tree_is_taken_by_a_protected_process() -> None:
    assert [(name, key) for name, key in values(KEY) if stripe_key_fault(key) is None] == []


def test_no_session_secret_of_the_tree_is_taken() -> None:
    found = values(SESSION_SECRET)

    assert {"docker-compose.yml", "sandbox/src/sandbox/environment.py"} <= {name for name, _ in found}
    assert [(name, secret) for name, secret in found if session_secret_fault(secret) is None] == []


def test_neither_are_its_client_secrets_and_the_passwords_of_compose() -> None:
    found = values(CLIENT_SECRET) | {(name, one) for name, one in values(PASSWORD) if name.startswith("docker-")}

    assert len(found) >= 5
    assert [(name, one) for name, one in found if not is_published(one) and not is_placeholder(one)] == []


@pytest.mark.parametrize(
    "published", ["whsec_dev_only_of_the_compose_file", "sk_test_quittance_sandbox", '"dev-only-client-secret" ']
)
def test_what_stands_here_is_known_by_its_hash(published: str) -> None:
    assert is_published(published)
