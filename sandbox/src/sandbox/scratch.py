"""Temporary directories that another user can enter, and that go even when their owner was killed."""

import fcntl
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "quittance-postgres-"
_OWNER: Final = ".owner"
_YOUNG_S: Final = 60


class Scratch:
    """A directory with a lock that the kernel releases when we end, whatever ends us."""

    def __init__(self) -> None:
        parent = _reachable_temp()
        _sweep(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._lock = (self.path / _OWNER).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def open_to_all(path: Path) -> bool:
    """Return whether a user without any rights of ours can get into `path`."""
    return all(step.stat().st_mode & 0o001 for step in (path.resolve(), *path.resolve().parents))


def _reachable_temp() -> Path:
    """Root's own temporary directory may be closed to the user who runs PostgreSQL."""
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - mkdtemp makes ours inside
    return next((path for path in candidates if open_to_all(path)), candidates[0])


def _sweep(parent: Path) -> None:
    """Remove what killed owners have left; others may be doing so at the same time."""
    for left in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # in use, somebody else's, or removed since
            _remove_abandoned(left)


def _remove_abandoned(directory: Path) -> None:
    """Remove an abandoned one. Raises OSError when somebody holds it, or it has gone."""
    with (directory / _OWNER).open("r") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if time.time() - directory.stat().st_mtime > _YOUNG_S:
            shutil.rmtree(directory, ignore_errors=True)
