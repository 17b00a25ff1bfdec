"""Builds the control plane from its Go modules into the user's cache: `python -m tests.cluster.build`.

It takes 13 minutes of a processor and 3 GiB where Go's cache is empty, so `.ci/run` starts it early and in the
background. Whoever comes second waits for the first, and finds it built.
"""

import hashlib
import os
import platform
import subprocess
from pathlib import Path
from typing import Final

from tests.go_toolchain import alone, go, user_cache

SOURCES: Final = Path(__file__).parent / "control_plane"
GO: Final = (1, 26)
KUBERNETES: Final = "1.37.2"
BUILD_SECONDS: Final = 40 * 60
_STAMP: Final = "k8s.io/component-base/version"
_STAMPS: Final = {
    f"{_STAMP}.gitVersion": f"v{KUBERNETES}",
    f"{_STAMP}.gitMajor": KUBERNETES.split(".")[0],
    f"{_STAMP}.gitMinor": KUBERNETES.split(".")[1],
    f"{_STAMP}.gitTreeState": "clean",
    f"{_STAMP}.gitCommit": "none",
    "k8s.io/client-go/pkg/version.gitVersion": f"v{KUBERNETES}",
}
LINKED: Final = " ".join(("-s", "-w", *(f"-X {name}={value}" for name, value in _STAMPS.items())))


def binary() -> Path:
    """Return the built control plane, and build it first where the cache lacks it. Raises RuntimeError."""
    path = user_cache() / f"control-plane-{KUBERNETES}-{_digest()}" / "kube"
    if not path.exists():
        with alone("control-plane"):
            if not path.exists():
                _build(path)
    return path


def _digest() -> str:
    """Return what tells one build from another: sources, the linker's words and the kind of machine."""
    hashed = hashlib.sha256(f"{LINKED} {platform.machine()}".encode())
    for source in sorted(SOURCES.iterdir()):
        hashed.update(source.name.encode() + b"\0" + source.read_bytes())
    return hashed.hexdigest()[:16]


def _build(path: Path) -> None:
    """Build beside `path` and move it there whole, so that a build that was cut off leaves nothing that looks built."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    command: list[str | Path] = [go(at_least=GO), "build", "-trimpath", "-o", unfinished, "-ldflags", LINKED, "."]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    done = subprocess.run(
        command, cwd=SOURCES, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the control plane does not build: {done.stdout}{done.stderr}")
    unfinished.rename(path)


if __name__ == "__main__":
    print(binary())
