"""`.ci/run`: a step past its budget fails, what fails is counted, and each step runs alone."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[3]
RUN = (ROOT / ".ci" / "run").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)
STEPS = re.findall(r"^step (\S+) (\d+) (.+?)(?: #.*)?$", RUN, re.MULTILINE)
MAKE: Final = """#!/bin/sh
case "$*" in
*install)
    mkdir -p .venv/bin
    printf '#!/bin/sh\\necho "$@" >built\\n' >.venv/bin/python
    chmod +x .venv/bin/python
    touch .venv/installed ;;
*cluster*)
    for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s built ] && exit; sleep 0.5; done
    exit 1 ;;
esac
"""
"""Installs what writes down how it was called, and has the step wait for that."""


def run(*lines: str, only: str = "") -> tuple[int, list[str]]:
    """Return the exit status and the lines of these steps' run, in a directory of no account."""
    script = "\n".join(("set -uo pipefail", f"only=({only})", f". {ROOT}/.ci/steps.sh", *lines, "summary"))
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.splitlines()


def rows(lines: list[str]) -> dict[str, str]:
    """Each step's result, by its name."""
    below = lines[next(number for number, line in enumerate(lines) if line.startswith("step ")) + 1 :]
    return {line.split()[0]: line.split(maxsplit=3)[3] for line in below if line and "passed, " not in line}


def test_a_step_that_is_not_done_within_its_budget_fails_and_the_next_one_runs() -> None:
    status, lines = run("step slow 0.005 sleep 30", "step good 1 true")

    assert rows(lines) == {"slow": "failed: not done after 0.005 minutes", "good": "passed", "everything": "passed"}
    assert (status, lines[-1]) == (1, "2 passed, 1 failed")


def test_a_step_whose_command_fails_is_counted() -> None:
    status, lines = run("step bad 1 false", "step good 1 true")

    assert rows(lines)["bad"] == "failed: exit status 1"
    assert (status, lines[-1]) == (1, "2 passed, 1 failed")


def test_everything_past_its_own_budget_fails_though_each_step_passed() -> None:
    status, lines = run("step good 1 true", "SECONDS=4201")

    assert rows(lines) == {"good": "passed", "everything": "failed: more than 70 minutes"}
    assert status == 1


def test_a_run_of_one_step_runs_no_other() -> None:
    status, lines = run("step one 1 true", "step two 1 false", only="one")

    assert rows(lines) == {"one": "passed", "everything": "passed"}
    assert status == 0


def test_a_step_that_there_is_not_fails() -> None:
    status, lines = run("step one 1 true", only="tow")

    assert (status, lines) == (2, ["no such step: tow"])


def test_what_was_started_in_the_background_ends_with_the_run(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    status, _ = run(f"cd {tmp_path}", f"background one sh -c 'echo $$ >{pid}; sleep 60'", "step one 1 sleep 1")

    command, deadline = Path("/proc", pid.read_text().strip(), "cmdline"), time.monotonic() + 20
    while command.exists() and command.read_bytes() and time.monotonic() < deadline:  # else gone, or a zombie
        time.sleep(0.02)
    assert time.monotonic() < deadline
    assert status == 0


@pytest.mark.parametrize(("name", "minutes", "command"), STEPS, ids=[name for name, *_ in STEPS])
def test_a_step_has_a_budget_and_a_target_that_runs_it_alone(name: str, minutes: str, command: str) -> None:
    assert 1 <= int(minutes) <= 14
    if command.startswith("bash -c "):  # installs what its target needs before
        assert f"make {target_of(command)}" in RUN.partition("() {")[2]
    assert target_of(command) in TARGETS


def target_of(command: str) -> str:
    return command.removeprefix("bash -c ").removeprefix("make ").split()[0]


def run_by(target: str) -> str:
    """What make would do for it."""
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_make_test_leaves_out_another_step_runs() -> None:
    left_out = re.findall(r"--ignore=(\S+)", run_by("test"))
    others = {target_of(command) for name, _, command in STEPS if name not in ("install", "test")}
    run = [word for target in others for line in run_by(target).splitlines() for word in line.split()]

    assert "tests/faults" in left_out
    assert [path for path in left_out if not any(path == word or path.startswith(f"{word}/") for word in run)] == []


def test_a_step_with_a_part_in_the_background_runs_alone_on_a_new_machine(tmp_path: Path) -> None:
    """There is no .venv yet, and the background's command is in it."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.write_text(MAKE)
    make.chmod(0o755)
    env = {**os.environ, "PATH": f"{make.parent}:{os.environ['PATH']}"}

    done = subprocess.run([tmp_path / ".ci/run", "cluster"], env=env, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "built").read_text() == "-m tests.cluster.build\n"
