"""A recording as text: each thing on a line with what of it is unusual; the usual stands once, for all journeys."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Usual = Mapping[str, Mapping[str, str]]
"""By kind, the value that most things of the kind have in each field."""
_NAME: Final = re.compile(r"<[A-Za-z_]+-\d+>")


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One row, fact, mail, answer or request, or a part of one; `fields` are JSON texts by their path."""

    kind: str
    fields: Mapping[str, str]
    parts: Sequence["Thing"]


def thing(kind: str, body: Any) -> Thing:
    """Return `body` flattened: a list of objects becomes parts, all else fields."""
    fields: dict[str, str] = {}
    parts: list[Thing] = []
    for path, value in _leaves("", body):
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            fields[path] = f"({len(value)})"
            parts.extend(thing(f"{kind} {path}[]", one) for one in value)
        else:
            fields[path] = json.dumps(value, ensure_ascii=False)
    return Thing(kind=kind, fields=fields, parts=parts)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and (value or not path):
        for name, one in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, one)
    elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        for number, one in enumerate(value):
            yield f"{path}[{number}]", one
    else:
        yield path or "(body)", value


def usual_of(recordings: Iterable[Sequence[Thing]]) -> Usual:
    """Return the most common value of every field that most things of a kind have."""
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    totals: Counter[str] = Counter()
    for one in (every for things in recordings for every in _all(things)):
        totals[one.kind] += 1
        for name, value in one.fields.items():
            counts[one.kind][name][value] += 1
    return {
        kind: {
            name: max(values.items(), key=lambda item: (item[1], item[0]))[0]
            for name, values in sorted(fields.items())
            if sum(values.values()) * 2 > totals[kind]
        }
        for kind, fields in sorted(counts.items())
    }


def _all(things: Iterable[Thing]) -> Iterator[Thing]:
    for one in things:
        yield one
        yield from _all(one.parts)


def lines(things: Iterable[Thing], usual: Usual, *, indent: str = "") -> Iterator[str]:
    """Yield one line for each thing, and below it its unusual fields and its parts.

    Where only the numbers of names are others than usual, as of a second purchase, the first line says which.
    """
    for one in things:
        normal = usual.get(one.kind, {})
        others = _renumbered(one, normal)
        expected = {name: _with(value, others) for name, value in normal.items()}
        said = " ".join(f"{was[1:-1]}→{now.rpartition('-')[2][:-1]}" for was, now in sorted(others.items()))
        yield f"{indent}{one.kind.rpartition(' ')[2] if indent else one.kind}{f' ({said})' if said else ''}"
        if absent := [name for name in sorted(expected) if name not in one.fields and not _stands_otherwise(name, one)]:
            yield f"{indent}    without {' '.join(absent)}"
        for name, value in sorted(one.fields.items()):
            if value != expected.get(name):
                yield f"{indent}    {name} = {value}"
        yield from lines(one.parts, usual, indent=f"{indent}  ")


def _with(value: str, others: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: others.get(match[0], match[0]), value)


def _renumbered(one: Thing, normal: Mapping[str, str]) -> dict[str, str]:
    """Return which names of what is usual stand here under another number, where most of their places agree."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for name, value in one.fields.items():
        was, now = _NAME.findall(normal.get(name, "")), _NAME.findall(value)
        if len(was) == len(now) and _NAME.sub("", normal.get(name, "")) == _NAME.sub("", value):
            for before, after in zip(was, now, strict=True):
                if _kind(before) == _kind(after):
                    votes[before][after] += 1
    chosen = {before: max(after, key=lambda other: (after[other], other)) for before, after in votes.items()}
    return {before: after for before, after in chosen.items() if before != after}


def _kind(name: str) -> str:
    return name.rpartition("-")[0]


def _stands_otherwise(name: str, one: Thing) -> bool:
    """Whether what is usually an object is null here, or the other way round."""
    return any(other.startswith(f"{name}.") or name.startswith(f"{other}.") for other in one.fields)
