"""The alert rules as they are deployed, and the same ones for tests, where minutes are seconds."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
OBSERVABILITY: Final = ROOT / "deploy/observability"
FILES: Final = sorted((OBSERVABILITY / "rules").glob("*.yaml"))
SPEED: Final = 30
"""In a test on the running product so many seconds are one: `for`, and the windows of rates."""
LEAST_SECONDS: Final = {"for": 2, "window": 10}
"""So that a window still has some scrapes, and a single late one fires nothing."""
METRIC: Final = re.compile(r"\b(?:billing[_:][\w:]+|cnpg_\w+|kube_\w+|pg_\w+|up)\b")
FOR: Final = re.compile(r"(?m)^(\s+for: )(\d+)([smhd])$")
WINDOW: Final = re.compile(r"\[(\d+)([smhd])\]")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def rules() -> Iterator[dict[str, Any]]:
    """Yield every rule of every file."""
    for path in FILES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


ALERTS: Final = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED: Final = {rule["record"]: rule for rule in rules() if "record" in rule}


def metrics_in(expression: str) -> set[str]:
    """Return the series that an expression reads."""
    return set(METRIC.findall(re.sub(r'"[^"]*"', '""', expression)))


def faster(path: Path) -> str:
    """Return a rule file with `for` and windows divided by SPEED."""
    text = FOR.sub(lambda found: f"{found[1]}{_faster(found[2], found[3], 'for')}", path.read_text())
    return WINDOW.sub(lambda found: f"[{_faster(found[1], found[2], 'window')}]", text)


def _faster(number: str, unit: str, what: str) -> str:
    return f"{max(LEAST_SECONDS[what], int(number) * _SECONDS[unit] // SPEED)}s"
