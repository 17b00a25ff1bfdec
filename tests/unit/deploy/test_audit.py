"""`make audit`: what is pinned and vulnerable fails it, and what was not audited is never called safe."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.unit.deploy.compose import ROOT

PIP_AUDIT: Final = """
import json, os, re, sys
database = json.loads(os.environ["DATABASE"])
pins = re.findall(r"(.+)==(.+)", open(sys.argv[sys.argv.index("--requirement") + 1]).read())
def answer(name, version):
    if name not in database:
        return {"name": name, "skip_reason": "Dependency not found on PyPI and could not be audited"}
    return {"name": name, "version": version, "vulns": [{"id": one} for one in database[name]]}
print(json.dumps({"dependencies": [answer(*pin) for pin in pins], "fixes": []}))
"""
"""As pip-audit answers: for a database that says 404 to everything too, with status 0 and "no vulnerabilities"."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of two locks, and pip-audit in front of a database of the test."""
    release = tmp_path / "deploy/release"
    release.mkdir(parents=True)
    shutil.copy(ROOT / "deploy/release/audit.py", release)
    (tmp_path / "requirements.lock").write_text(
        "jinja2==3.1.6 \\\n    --hash=sha256:00\n    # via us\nmako==1.4.3 ; x\n"
    )
    (release / "tools.lock").write_text("pip-audit==2.10.1\n")
    (tmp_path / "pip_audit").mkdir()
    (tmp_path / "pip_audit/__main__.py").write_text(PIP_AUDIT)
    return tmp_path


def audit(checkout: Path, database: Mapping[str, list[str]], *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, checkout / "deploy/release/audit.py", *words],
        env={**os.environ, "PYTHONPATH": str(checkout), "DATABASE": json.dumps(database)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_all_pins_of_both_locks_are_audited(checkout: Path) -> None:
    assert audit(checkout, {"jinja2": [], "mako": [], "pip-audit": []}, "--must") == (
        0,
        "audited: 3 pins, 0 of them vulnerable\n",
    )


def test_a_vulnerable_pin_fails_it_and_is_named(checkout: Path) -> None:
    status, said = audit(checkout, {"jinja2": [], "mako": ["PYSEC-2026-1"], "pip-audit": []})

    assert status == 1
    assert "vulnerable: mako==1.4.3: PYSEC-2026-1" in said


def test_a_database_that_knows_nothing_is_not_taken_for_one_that_knows_nothing_bad(checkout: Path) -> None:
    status, said = audit(checkout, {})

    assert "NOT AUDITED HERE" in said
    assert "NOT AUDITED: 3 of 3 pins" in said
    assert (status, audit(checkout, {}, "--must")[0]) == (0, 1)


def test_one_pin_that_was_not_audited_fails_where_all_must_be(checkout: Path) -> None:
    status, said = audit(checkout, {"jinja2": [], "pip-audit": []}, "--must")

    assert status == 1
    assert "NOT AUDITED: 1 of 3 pins, as mako==1.4.3" in said


def test_what_was_recorded_counts_where_the_database_is_away(checkout: Path) -> None:
    audit(checkout, {"jinja2": ["PYSEC-2026-2"], "mako": [], "pip-audit": []}, "--record")

    status, said = audit(checkout, {})

    assert status == 1
    assert "vulnerable: jinja2==3.1.6: PYSEC-2026-2" in said
    assert re.search(r"Recorded: \d{4}-\d\d-\d\d", said)


def test_what_was_recorded_says_nothing_of_another_version(checkout: Path) -> None:
    audit(checkout, {"jinja2": [], "mako": [], "pip-audit": []}, "--record")
    lock = checkout / "requirements.lock"
    lock.write_text(lock.read_text().replace("mako==1.4.3", "mako==1.4.4"))

    assert "NOT AUDITED: 1 of 3 pins, as mako==1.4.4" in audit(checkout, {})[1]


def test_an_answer_that_is_not_whole_is_not_recorded(checkout: Path) -> None:
    assert audit(checkout, {"jinja2": []}, "--record")[0] == 1
    assert not (checkout / "deploy/release/audit.json").exists()
