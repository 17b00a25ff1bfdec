"""Shows the figures: a table to read, and JSON beside the stack's other state, where git does not look."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sandbox import places
from tests.bench.figures import Figure

HEAD: Final = ("measure", "ratio", "wanted", "ours", "beside", "")


def table(figures: Sequence[Figure]) -> str:
    """Ratios first, absolute figures second."""
    rows = [HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def write(measured: Mapping[str, Sequence[Figure]]) -> Path:
    """Into `.stack/bench.json`, by measure, with what is needed to judge them: when, where, and how busy it was.

    What this run has not measured stays as it was.
    """
    path = places.state() / "bench.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    circumstances = {"measured_at": datetime.now(UTC).isoformat(), "machine": machine()}
    new = {name: {**circumstances, "figures": list(map(_json, figures))} for name, figures in measured.items()}
    path.write_text(json.dumps(_written(path) | new, indent=2, ensure_ascii=False) + "\n")
    return path


def _written(path: Path) -> dict[str, object]:
    try:
        before = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return before if isinstance(before, dict) else {}


def machine() -> dict[str, object]:
    """Where it was measured; the load tells of others who were working at the same time."""
    load = [round(one, 2) for one in os.getloadavg()]
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system(), "load": load}


def _json(figure: Figure) -> dict[str, object]:
    return asdict(figure) | {"kept": figure.kept}


def _row(figure: Figure) -> tuple[str, ...]:
    mark = {None: "", True: "kept", False: "NOT YET"}[figure.kept]
    wanted = f"{figure.promise} {mark}".strip()
    return (
        figure.measure,
        f"{figure.ratio:.2f}",
        wanted,
        f"{_number(figure.ours)} {figure.unit}",
        f"{_number(figure.beside)} {figure.unit}",
        figure.note,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
