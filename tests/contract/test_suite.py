"""The suite itself: two workers can share it, since each finds the same tests under the same names."""

import os
import subprocess
import sys

from tests.contract.docs.markdown import ROOT

OTHERS = ("bench", "browser", "faithfulness")


def collected(seed: str) -> list[str]:
    """What a worker finds, as `make test` starts it."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *(f"--ignore=tests/{one}" for one in OTHERS)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    found = subprocess.run(
        command, cwd=ROOT, env=environment | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    return [line for line in found.stdout.splitlines() if "::" in line]


def test_every_worker_collects_the_same_tests_under_the_same_names() -> None:
    first, second = collected("1"), collected("2")

    assert len(first) > 1000
    assert [pair for pair in zip(first, second, strict=True) if len(set(pair)) > 1] == []
