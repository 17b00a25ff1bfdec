"""stripe-mock, a Go module that carries Stripe's published OpenAPI description: fetched, read and built here."""

import functools
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from tests.go_toolchain import go

MODULE: Final = "github.com/stripe/stripe-mock"
VERSION: Final = "v0.203.0"
CACHE: Final = Path(__file__).parents[2] / ".cache" / "stripe-mock"
GO: Final = (1, 22)


@functools.cache
def description() -> dict[str, Any]:
    """Stripe's OpenAPI description, out of the module's source. Raises RuntimeError."""
    fetched = json.loads(_go("mod", "download", "-json", f"{MODULE}@{VERSION}"))
    text = (Path(fetched["Dir"]) / "embedded" / "openapi" / "spec3.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


@functools.cache
def binary() -> Path:
    """The built stripe-mock. Raises RuntimeError."""
    built = CACHE / VERSION / "stripe-mock"
    if not built.exists():
        _go("install", f"{MODULE}@{VERSION}", GOBIN=str(built.parent))
    return built


def _go(*arguments: str, **environment: str) -> str:
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off", **environment}
    done = subprocess.run([go(at_least=GO), *arguments], env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"go {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout
