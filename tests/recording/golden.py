"""What a journey leaves: with GOLDEN=record it is the recording, with GOLDEN=compare it is compared with it.

Without either nobody watches. A refactoring is compared; the suite is not, until the recording has proved steady
on more machines than one.
"""

import difflib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import pytest

from sandbox.driver import Driver
from tests.recording import files
from tests.recording.lines import Thing, lines
from tests.recording.recorded import things_of
from tests.recording.watching import Watch

MODE: Final = os.environ.get("GOLDEN", "")
RECORDS: Final = MODE == "record"
MARK: Final = "unrecorded"
FOLDER: Final = "tests/journeys"
RECORDED: Final[pytest.StashKey[dict[tuple[str, str], Sequence[Thing]]]] = pytest.StashKey()
PASSED: Final[pytest.StashKey[bool]] = pytest.StashKey()


@asynccontextmanager
async def as_recorded(driver: Driver, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Watch a journey, and raise AssertionError where it does not leave what the recording says.

    To be left once everything is quiet. A journey that failed, or that is marked `unrecorded`, is not compared.
    """
    if not MODE or request.node.get_closest_marker(MARK):
        yield
        return
    watch = await Watch.begin(driver)
    yield
    if request.node.stash.get(PASSED, False):
        things = things_of(await watch.left())
        journey = (request.node.path.stem, request.node.name)
        if RECORDS:
            request.config.stash.setdefault(RECORDED, {})[journey] = things
        else:
            _compare(*journey, things)


def _compare(module: str, journey: str, things: Sequence[Thing]) -> None:
    expected, actual = files.committed(module).get(journey), list(lines(things, files.usual()))
    if expected is None:
        raise AssertionError(f"{journey} is not in tests/golden/{module}.txt: `make golden` records it")
    if expected != actual:
        changes = difflib.unified_diff(expected, actual, "recorded", "now", lineterm="", n=3)
        raise AssertionError(
            "it leaves something else than before; if that is meant, `make golden`:\n" + "\n".join(changes)
        )


def write_recorded(session: pytest.Session, status: int) -> None:
    """Write what was recorded in this run: all of it anew when every journey ran and passed."""
    if recorded := session.config.stash.get(RECORDED, None):
        option = session.config.option
        is_every = session.config.args == [FOLDER] and not (option.keyword or option.deselect)
        files.write(recorded, is_whole=is_every and status == pytest.ExitCode.OK)
