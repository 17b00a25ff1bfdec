"""Manifests that must be refused: one that is accepted with one thing changed, and a part of the reason."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.cluster.api.cluster import Object

_SAMPLES: Final = Path(__file__).parent / "samples"
_GONE: Final = object()


@dataclass(frozen=True, slots=True)
class Bad:
    """`reason` is part of the refusal. Only a schema refuses what `needs_schema`."""

    kind: str
    field: str
    reason: str
    value: Any = _GONE
    needs_schema: bool = False

    @property
    def manifest(self) -> Object:
        """Return the good manifest of this kind with its one change."""
        made = copy.deepcopy(GOOD[self.kind])
        *path, last = (word.replace("~1", "/") for word in self.field.split("/"))
        inside: Any = made
        for word in path:
            inside = inside[int(word)] if word.isdigit() else inside.setdefault(word, {})
        if self.value is _GONE:
            del inside[last]
        else:
            inside[last] = self.value
        return made


GOOD: Final[dict[str, Object]] = {
    found["kind"]: found for found in yaml.safe_load_all((_SAMPLES / "good.yaml").read_text())
}
OWNED: Final[dict[str, Object]] = {
    found["kind"]: found for found in yaml.safe_load_all((_SAMPLES / "owned.yaml").read_text())
}
"""What another operator made in our namespace."""
BAD: Final = {name: Bad(**row) for name, row in yaml.safe_load((_SAMPLES / "bad.yaml").read_text()).items()}
