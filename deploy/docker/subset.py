"""`python subset.py requirements.lock PACKAGE…`: the part of the lock, hashes included, that these packages need.

Every pinned package of `uv export` says in `# via` who asked for it; a package is kept when somebody kept asked for it.
"""

import argparse
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==")


@dataclass(frozen=True)
class Pin:
    """One package of the lock: its lines, and who asked for it."""

    text: str
    via: frozenset[str]


def read_pins(lock: str) -> Mapping[str, Pin]:
    """Return the pinned packages by their name."""
    blocks: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines():
        if found := _PIN.match(line):
            name = found["name"]
            blocks[name] = []
        if name:
            blocks[name].append(line)
    return {name: _pin(lines) for name, lines in blocks.items()}


def subset(pins: Mapping[str, Pin], roots: Collection[str]) -> list[str]:
    """Return the names that `roots`, packages of the workspace, need, in the order of the lock."""
    kept = set(roots)
    while more := {name for name, pin in pins.items() if name not in kept and pin.via & kept}:
        kept |= more
    return [name for name in pins if name in kept]


def _pin(lines: Iterable[str]) -> Pin:
    comments = [line.strip().removeprefix("#").strip() for line in lines if line.lstrip().startswith("#")]
    via = {comment.removeprefix("via").strip() for comment in comments}
    return Pin(text="\n".join(lines), via=frozenset(via - {""}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="subset.py", description=__doc__)
    parser.add_argument("lock", type=Path)
    parser.add_argument("packages", nargs="+", metavar="PACKAGE")
    given = parser.parse_args()
    found = read_pins(given.lock.read_text())
    print("\n".join(found[name].text for name in subset(found, given.packages)))
