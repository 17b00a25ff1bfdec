"""buildah, podman and runc, on a storage of this checkout: what the machine's user has is neither seen nor changed."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TOOLS: Final = ("buildah", "podman", "runc", "mmdebstrap")
ROOT: Final = Path(__file__).parents[2]
_CONFIG: Final = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[engine.runtimes]
runc = [{runc}]
"""
"""Without systemd, and within the limits of a container that this may itself run in."""


class EngineFailed(RuntimeError):  # noqa: N818 - named for what it says
    """buildah or podman ended with an error: its command and what it printed."""


@dataclass(frozen=True)
class Built:
    """One image as it was built; of `layers` the digest of each one's content, the lowest first."""

    name: str
    labels: Mapping[str, str]
    health: Sequence[str]
    config: Mapping[str, Any]
    layers: tuple[str, ...]


class Engine:
    """Builds and runs images as root. Raises `EngineFailed` where a tool is missing or fails."""

    def __init__(self, directory: Path) -> None:
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if missing or os.geteuid() != 0:
            raise EngineFailed(
                f"This suite builds and runs images with {', '.join(TOOLS)} as root, and nothing is skipped. "
                f"Missing: {', '.join(missing) or 'root'}. `make images` installs the tools on Debian and Ubuntu."
            )
        directory.mkdir(parents=True, exist_ok=True)
        self._config = directory / "containers.conf"
        self._config.write_text(_CONFIG.format(runc=json.dumps(shutil.which("runc"))))
        # podman keeps to the run root that a storage first had, and refuses a long one.
        name = hashlib.sha256(bytes(directory.resolve())).hexdigest()[:12]
        self._run_root = Path(tempfile.gettempdir()) / f"quittance-images-{name}"
        self._storage = (
            f"--root={directory / 'storage'}",
            f"--runroot={self._run_root}",
            "--storage-driver=overlay",
            # Else the storage stays mounted on itself, and `make clean` cannot remove it.
            "--storage-opt=overlay.skip_mount_home=true",
        )

    def build(self, dockerfile: Path, context: Path, name: str, *options: str) -> None:
        """Build `name`. Only what is here already may be a base: nothing is pulled."""
        # In a chroot, with this machine's network: RUN reaches the package registry, and needs no network of its own.
        usual = ("--isolation=chroot", "--network=host", "--pull-never", "--layers", "--format=docker")
        self._buildah("build", *usual, *options, f"--file={dockerfile}", f"--tag={name}", str(context))

    def import_rootfs(self, archive: Path, name: str, *changes: str) -> None:
        """Make an image of one layer out of a tar of a file system, with these lines of a Dockerfile."""
        self.podman("import", *(f"--change={change}" for change in changes), str(archive), name)

    def has(self, name: str) -> bool:
        """Say whether there is an image of this name."""
        return bool(self.podman("images", "--quiet", "--filter", f"reference={name}").strip())

    def inspect(self, name: str) -> Built:
        """Return what an image says of itself."""
        (found,) = json.loads(self.podman("image", "inspect", name))
        config: Mapping[str, Any] = found["Config"]
        health = found["Healthcheck"]["Test"] if found.get("Healthcheck") else []
        return Built(name, config.get("Labels") or {}, health, config, tuple(found["RootFS"]["Layers"]))

    @property
    def command(self) -> tuple[str, ...]:
        """What `docker` would be elsewhere."""
        return ("podman", *self._storage, f"--tmpdir={self._run_root / 'libpod'}")

    @property
    def environment(self) -> dict[str, str]:
        """What `command` needs besides."""
        return {**os.environ, "CONTAINERS_CONF": str(self._config)}

    def podman(self, *words: str, timeout: float = 120, errors: bool = False) -> str:
        """Run a command of podman and return what it prints, with what it prints as errors. Raises `EngineFailed`."""
        return self._run(*self.command, *words, timeout=timeout, errors=errors)

    def succeeds(self, *words: str) -> bool:
        """Say whether a command of podman ends with 0."""
        try:
            self.podman(*words)
        except EngineFailed:
            return False
        return True

    def clear(self) -> None:
        """Remove every container that an earlier run left, also those of builds that were killed; images stay."""
        self.podman("rm", "--all", "--force", "--time=0")
        self._buildah("rm", "--all")

    def remove(self, names: Iterable[str]) -> None:
        """Remove containers, running or not."""
        self.podman("rm", "--force", "--time=0", "--ignore", *names)

    def _buildah(self, *words: str) -> None:
        self._run("buildah", *self._storage, *words, timeout=600)

    def _run(self, *words: str, timeout: float, errors: bool = False) -> str:
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode:
            raise EngineFailed(f"{' '.join(words)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr if errors else done.stdout
