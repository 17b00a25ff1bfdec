"""The Python of everything that runs in production: services, and the libraries that they share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def sources() -> Iterator[Path]:
    """Yield every module of ours that a service runs."""
    for top in ("libs", "services"):
        yield from (ROOT / top).rglob("src/**/*.py")
