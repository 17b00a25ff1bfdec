"""Where the sandbox keeps things: the checkout it is installed from, its caches, the state of a running stack."""

import os
from pathlib import Path


def checkout() -> Path:
    """Return the repository's root; the current directory where the package is installed without one."""
    root = Path(__file__).resolve().parents[4]
    return root if (root / "Makefile").exists() else Path.cwd()


def cache() -> Path:
    """Return what was downloaded and stays: `SANDBOX_CACHE`, else `.cache` of the checkout."""
    return Path(os.environ.get("SANDBOX_CACHE") or checkout() / ".cache")


def maven_cache() -> Path:
    return cache() / "maven"


def state() -> Path:
    """Return what a running stack writes: logs, data, `stack.json`."""
    return Path(os.environ.get("SANDBOX_STATE") or checkout() / ".stack")
