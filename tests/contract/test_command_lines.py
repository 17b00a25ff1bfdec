"""A word that a command line does not know is refused: no program of this repository goes on without it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
UNKNOWN: Final = "no-such-word"
SOURCES: Final = (
    *sorted(ROOT.glob("services/*/src")),
    ROOT / "sandbox/src",
    ROOT / "contracts/src",
    ROOT / "libs/stripe_reader/src",
)
COMMANDS: Final = {
    "catalog": ("serve", "relay", "migrate", "seed", "bootstrap-stripe", "doctor", "parked"),
    "purchases": ("api", "worker", "relay", "migrate", "sweep", "retry-parked", "restored", "doctor"),
    "webhook_gateway": ("serve", "doctor", "backfill"),
    "notifier": ("serve", "migrate", "doctor", "parked"),
}


def runs_alone(file: Path) -> bool:
    return file.name == "__main__.py" or '__name__ == "__main__"' in file.read_text()


def name_of(file: Path, source: Path) -> str:
    return ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__main__")


PROGRAMS: Final = [
    ("-m", name_of(file, source))
    for source, below in (*((source, source) for source in SOURCES), (ROOT, ROOT / "tests/bench"))
    for file in sorted(below.rglob("*.py"))
    if runs_alone(file)
]
SCRIPTS: Final = [(str(file.relative_to(ROOT)),) for file in sorted((ROOT / "deploy/docker").glob("*.py"))]


def refusal(*words: str) -> subprocess.CompletedProcess[str]:
    """What a program says and does within a minute; one that serves would be there for longer."""
    here = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=here, capture_output=True, text=True, timeout=60, check=False
    )


def assert_refused(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 2, done.stderr
    assert "usage: " in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("program", [*PROGRAMS, *SCRIPTS], ids=lambda program: program[-1])
def test_an_unknown_word_is_refused_with_the_usage(program: tuple[str, ...]) -> None:
    words = ("http://127.0.0.1:9/", UNKNOWN) if program[-1].endswith("healthcheck.py") else (UNKNOWN,)

    assert_refused(refusal(*program, *words))


@pytest.mark.parametrize(("module", "command"), [(name, word) for name, words in COMMANDS.items() for word in words])
def test_so_is_one_behind_a_command_that_is_known(module: str, command: str) -> None:
    assert_refused(refusal("-m", module, command, UNKNOWN))


def test_a_service_names_its_commands() -> None:
    for module, commands in COMMANDS.items():
        done = refusal("-m", module, "--help")

        assert done.returncode == 0, done.stderr
        assert [word for word in commands if word not in done.stdout] == []
