"""The committed recordings: `tests/golden/<module>.txt`, one section a journey, and `usual.txt`."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.recording.lines import Thing, Usual, lines, usual_of

FOLDER: Final = Path(__file__).parents[1] / "golden"
_USUAL: Final = "usual"
_AS: Final = "as "
Sections = dict[str, list[str]]


def committed(module: str) -> Sections:
    """Return the lines of each journey of a module; one that equals another only names it."""
    sections = _read(module)
    return {
        name: sections[found[0].removeprefix(_AS)] if found[:1] and found[0].startswith(_AS) else found
        for name, found in sections.items()
    }


def usual() -> Usual:
    """Return what `usual.txt` says of each kind."""
    return {
        kind: dict(line.strip().split(" = ", maxsplit=1) for line in found) for kind, found in _read(_USUAL).items()
    }


def write(recorded: Mapping[tuple[str, str], Sequence[Thing]], *, is_whole: bool) -> None:
    """Write these recordings, by module and journey.

    When they are all that there are, what is usual is counted anew, and what is of no journey any more goes. Else they
    stand beside those of journeys that did not run.
    """
    if is_whole:
        for path in FOLDER.glob("*.txt"):
            path.unlink()
    if not (normal := usual()):
        normal = usual_of(recorded.values())
        _write(_USUAL, {kind: [f"  {name} = {value}" for name, value in one.items()] for kind, one in normal.items()})
    for module in {module for module, _ in recorded}:
        now = {name: list(lines(things, normal)) for (of, name), things in recorded.items() if of == module}
        _write(module, _shortened(committed(module) | now))


def _shortened(sections: Sections) -> Sections:
    first: dict[tuple[str, ...], str] = {}
    short: Sections = {}
    for name, found in sorted(sections.items()):
        equal = first.setdefault(tuple(found), name)
        short[name] = found if equal == name or not found else [f"{_AS}{equal}"]
    return short


def _read(name: str) -> Sections:
    path = FOLDER / f"{name}.txt"
    sections: Sections = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("## "):
            sections[line.removeprefix("## ")] = []
        elif line and sections:
            sections[next(reversed(sections))].append(line)
    return sections


def _write(name: str, sections: Mapping[str, Iterable[str]]) -> None:
    FOLDER.mkdir(exist_ok=True)
    text = "\n".join("\n".join((f"## {title}", *found)) + "\n" for title, found in sections.items())
    (FOLDER / f"{name}.txt").write_text(text)
