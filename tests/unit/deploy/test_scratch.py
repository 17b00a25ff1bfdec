"""Directories that killed owners left are removed by whoever comes next, many at once."""

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox import scratch
from sandbox.scratch import Scratch

LONG_AGO = time.time() - 3600


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(scratch, "_reachable_temp", lambda: tmp_path)
    return tmp_path


def abandoned(temporary: Path) -> Path:
    """As an owner leaves it that was killed long ago."""
    directory = Path(tempfile.mkdtemp(prefix=scratch._PREFIX, dir=temporary))
    (directory / scratch._OWNER).touch()
    os.utime(directory, (LONG_AGO, LONG_AGO))
    return directory


def test_what_was_abandoned_goes_and_what_is_held_stays(temporary: Path) -> None:
    held, left = Scratch(), abandoned(temporary)
    os.utime(held.path, (LONG_AGO, LONG_AGO))

    mine = Scratch()

    assert (left.exists(), held.path.exists(), mine.path.exists()) == (False, True, True)
    for one in (held, mine):
        one.remove()


def test_one_that_another_has_just_removed_stops_nobody(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It vanishes between the lock and the look at its age: with it, a whole run of tests had no database."""
    left, lock = abandoned(temporary), fcntl.flock

    def slowly(file: Any, how: int) -> None:
        lock(file, how)
        shutil.rmtree(left, ignore_errors=True)

    monkeypatch.setattr(fcntl, "flock", slowly)

    Scratch().remove()

    assert not left.exists()
