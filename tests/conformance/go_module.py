"""stripe-mock, a Go module that carries Stripe's published OpenAPI description: fetched, read and built here."""

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

MODULE: Final = "github.com/stripe/stripe-mock"
VERSION: Final = "v0.203.0"
CACHE: Final = Path(__file__).parents[2] / ".cache" / "stripe-mock"
MISSING: Final = (
    f"This suite needs Go 1.22 or newer to fetch and build {MODULE}, which carries Stripe's published OpenAPI "
    "description, and found no `go` on the PATH. It does not skip: without the description nothing is compared."
)


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
    go = shutil.which("go")
    if go is None:
        raise RuntimeError(MISSING)
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off", **environment}
    done = subprocess.run([go, *arguments], env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"go {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout
