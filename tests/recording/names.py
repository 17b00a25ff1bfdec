"""Stable names for what differs from run to run: ids are numbered as they first appear, times are only marked."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Json = Any

UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TOKENS: Final = re.compile(
    "|".join(
        (
            r"(?P<token>eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=/)(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{32,}(?![A-Za-z0-9_]))",
            r"(?P<time>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
            r"|\b[A-Z][a-z]{2} \d{1,2}, \d{4}(?:, \d{1,2}:\d\d(?::\d\d)? [AP]M UTC)?|\b[12]\d{9}(?:\d{3})?\b)",
            r"(?P<port>127\.0\.0\.1:\d+)",
            rf"(?P<uuid>{UUID})",
            r"(?P<given>\b(?:ws|user|owner)-[0-9a-f]{12}\b)",
            r"(?P<addon>\b[Ss]etup[ -][0-9a-f]{8}\b)",
            r"(?P<stripe>(?<![A-Za-z0-9])[a-z]+(?:_[a-z]+)*_(?=[a-z]*[A-Z0-9])"
            r"(?:[A-Za-z0-9]{14}|[A-Za-z0-9]{24,})(?![A-Za-z0-9]))",
            r"(?P<hex>\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b)",
            r"(?P<parked>\b(?:fact|command)-\d+\b)",
        )
    )
)


_UNNUMBERED: Final = frozenset({"token", "time", "port", "id", "hex", "parked", "evt", "req"})
"""Of these only the kind is kept: an `id` is of a fact or a request, which nothing else names.

Two events of Stripe tell of one payment, and either may be the first.
"""


class Names:
    """The names of one recording. `kinds` says what an id of ours is of, where that is known."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = kinds
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def named(self, value: Json) -> Json:
        """Return `value` with a name for each id, giving new names to those that have none yet."""
        return _each_text(value, lambda text: _TOKENS.sub(lambda match: self._name(match, give=True), text))

    def unnamed(self, value: Json) -> Json:
        """Return `value` with the names given so far; another id shows only its kind."""
        return _each_text(value, lambda text: _TOKENS.sub(lambda match: self._name(match, give=False), text))

    def in_order(self, values: Iterable[Json]) -> list[Json]:
        """Return the named values in an order that follows from their content, each once.

        Greedily the smallest comes next, since each new name may tell two of the others apart.
        """
        left, found = list(values), []
        while left:
            keys = [json.dumps(self.unnamed(value), sort_keys=True) for value in left]
            chosen = self.named(left.pop(keys.index(min(keys))))
            if chosen not in found:
                found.append(chosen)
        return found

    def sorted_by_content(self, values: Iterable[Json]) -> list[Json]:
        """Return the values by what they say under the names given so far, which stay as they are."""
        return sorted(values, key=lambda value: json.dumps(self.unnamed(value), sort_keys=True))

    def _name(self, match: re.Match[str], *, give: bool) -> str:
        group, text = str(match.lastgroup), match[0]
        kind = self._kind(group, text)
        if kind in _UNNUMBERED:
            return f"<{kind}>"
        if text not in self._names:
            if not give:
                return f"<{kind}>"
            self._counts[kind] += 1
            self._names[text] = f"<{kind}-{self._counts[kind]}>"
        return self._names[text]

    def _kind(self, group: str, text: str) -> str:
        match group:
            case "uuid":
                return self._kinds.get(text, "id")
            case "stripe":
                return text.rpartition("_")[0]
            case "given":
                return text.partition("-")[0]
            case "addon":
                return "slug" if text.startswith("s") else "Setup"
            case _:
                return group


def template(path: str, names: Names) -> str:
    """Return a path with a placeholder for each id: `/v1/workspaces/{ws}/purchases`."""
    shown: str = names.unnamed(path if len(path) < 200 else f"{path[:20]}…")
    return re.sub(r"<([\w ]+?)(?:-\d+)?>", r"{\1}", shown)


def mentions(value: Json, texts: Sequence[str] | frozenset[str]) -> bool:
    """Return whether an id of `texts` stands anywhere in `value`."""
    return any(match[0] in texts for match in _TOKENS.finditer(json.dumps(value)))


def without(value: Json, texts: frozenset[str]) -> Json:
    """Return `value` without the elements of its lists that mention one of `texts`, and whether those lists go on."""
    if isinstance(value, dict):
        return {name: without(one, texts) for name, one in value.items() if name != "next_cursor"}
    if isinstance(value, list):
        return [without(one, texts) for one in value if not mentions(one, texts)]
    return value


def _each_text(value: Json, change: Any) -> Json:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): _each_text(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_each_text(one, change) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1_000_000_000:
        return change(str(value))
    return value
