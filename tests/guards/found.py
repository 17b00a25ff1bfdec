"""What the last whole run found, kept in `found.json`: which tests failed without each guard."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from tests.guards.guards import GUARDS, Guard

FILE: Final = Path(__file__).with_name("found.json")
Found = Mapping[str, Mapping[str, object]]


def digest_of(guard: Guard) -> str:
    """Return what changes with the patch and its tests: a run of another one says nothing of this."""
    return hashlib.sha256(repr((guard.file, guard.line, guard.without, guard.tests)).encode()).hexdigest()[:16]


def read() -> dict[str, tuple[str, list[str]]]:
    """Return, by the guard's name, the digest of what was run and the tests that failed."""
    kept: Found = json.loads(FILE.read_text()) if FILE.exists() else {}
    return {name: (str(found["run"]), _texts(found["failed"])) for name, found in kept.items()}


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(one) for one in value]


def write(failed: Mapping[str, Iterable[str]]) -> None:
    """Keep what was found of these guards, and what is known of the others that there still are."""
    known = read()
    now = {guard.name: (digest_of(guard), sorted(failed[guard.name])) for guard in GUARDS if guard.name in failed}
    kept = {guard.name: now.get(guard.name) or known.get(guard.name) for guard in GUARDS}
    rows = {name: {"run": found[0], "failed": found[1]} for name, found in kept.items() if found}
    FILE.write_text(json.dumps(rows, indent=1) + "\n")


def table() -> str:
    """Return the guards as a table for people."""
    known = read()
    rows = [
        f"| {guard.name} | {guard.prevents} | `{guard.file}` | {_shown(known.get(guard.name, ('', []))[1])} |"
        for guard in GUARDS
    ]
    return "\n".join(["| guard | without it | in | fails then |", "|---|---|---|---|", *rows])


def _shown(failed: Iterable[str]) -> str:
    return "<br>".join(f"`{test.rpartition('/')[2]}`" for test in failed) or "**nothing**"
