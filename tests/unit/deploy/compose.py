"""docker-compose.yml as Compose would see it with an empty environment."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
COMPOSE: Final = ROOT / "docker-compose.yml"
_VARIABLE: Final = re.compile(r"\$\{(?P<name>[A-Z_]+):-(?P<default>[^}]*)\}")

Json = dict[str, Any]


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return _VARIABLE.sub(lambda match: match["default"], value) if isinstance(value, str) else value


SERVICES: Final[dict[str, Json]] = _filled(yaml.safe_load(COMPOSE.read_text()))["services"]
OURS: Final = [name for name, service in SERVICES.items() if service["image"].startswith("quittance/")]
"""What runs in an image of ours."""


def environment(name: str) -> dict[str, str]:
    """What it is given; a name without a value is passed on where there is one, and there is none here."""
    given: Json = SERVICES[name].get("environment", {})
    return {variable: value for variable, value in given.items() if value is not None}


def command(name: str) -> tuple[str, ...]:
    return tuple(SERVICES[name]["command"])


def option(name: str, flag: str) -> str:
    """The value of a flag of the command, written as `--flag value` or `--flag=value`."""
    words = [part for word in command(name) for part in word.split("=", 1)]
    return words[words.index(flag) + 1]


def published(name: str) -> dict[int, int]:
    """The host's ports by the container's."""
    ports = [mapping.split(":") for mapping in SERVICES[name].get("ports", [])]
    return {int(inside): int(outside) for _, outside, inside in ports}
