"""`python -m tests.guards [NAME…]`: take each guard out in a copy of the tree, and show which test fails without it.

Ends with 1 where a guard's patch does not apply, where its tests fail with it, or where none fails without it. A whole
run is kept in `found.json`, of which `make docs` makes docs/reference/guards.md.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from shutil import copy2
from typing import Final

from tests.guards import found
from tests.guards.guards import GUARDS, Guard

ROOT: Final = Path(__file__).parents[2]
LONGEST: Final = 600
"""Seconds that the tests of one guard may take."""
FAILED: Final = re.compile(r"^FAILED (?P<test>[^\s\[]+)", re.MULTILINE)
"""Not what ended in an error before the test: a file that cannot be imported would fail anything."""


class Copy:
    """A copy of the files that git knows, in which tests run its own code and no other."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                copy2(ROOT / name, directory / name)
        sources = sorted(path for path in directory.glob("**/src") if any(path.glob("*/__init__.py")))
        self._environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, sources)),
            "PYTHONDONTWRITEBYTECODE": "1",  # else a file that is changed back within a second stays as it was
            "SANDBOX_CACHE": os.environ.get("SANDBOX_CACHE", str(ROOT / ".cache")),
        }
        self._assert_own_code()

    def _assert_own_code(self) -> None:
        where = [sys.executable, "-c", "import chassis, purchases; print(chassis.__file__, purchases.__file__)"]
        ran = subprocess.run(
            where, cwd=self._directory, env=self._environment, capture_output=True, text=True, check=True
        )
        assert all(Path(file).is_relative_to(self._directory) for file in ran.stdout.split()), ran.stdout

    def failing(self, tests: Iterable[str]) -> tuple[set[str], str]:
        """Run these tests; return those that failed, and what pytest printed."""
        command = [sys.executable, "-m", "pytest", "-q", "-rf", "--tb=line", "-p", "no:cacheprovider", *tests]
        ran = subprocess.run(
            command,
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        if ran.returncode not in (0, 1):
            raise SystemExit(f"pytest ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
        return {match["test"] for match in FAILED.finditer(ran.stdout)}, ran.stdout

    def failing_without(self, guard: Guard) -> set[str]:
        """Take the guard out, run its tests, and put it back. Raises LookupError where its line is not there."""
        path = self._directory / guard.file
        text = path.read_text()
        path.write_text(guard.taken_out_of(text))
        try:
            return self.failing(guard.tests)[0]
        finally:
            path.write_text(text)


def main(chosen: Sequence[Guard]) -> int:
    """Return how the process ends."""
    with tempfile.TemporaryDirectory(prefix="quittance-guards-") as directory:
        copy = Copy(Path(directory))
        red, printed = copy.failing(sorted({test for guard in chosen for test in guard.tests}))
        if red or "passed" not in printed:
            print(f"{printed}\nwith every guard in its place these tests do not pass")
            return 1
        failed = {guard.name: _shown(guard, copy.failing_without(guard)) for guard in chosen}
    found.write(failed)
    return 0 if all(failed.values()) else 1


def _shown(guard: Guard, failed: set[str]) -> set[str]:
    print(f"{guard.name:<24} {', '.join(sorted(failed)) or 'NO TEST FAILS WITHOUT IT'}", flush=True)
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.guards", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *(guard.name for guard in GUARDS)])
    names = parser.parse_args().names
    sys.exit(main([guard for guard in GUARDS if not names or guard.name in names]))
