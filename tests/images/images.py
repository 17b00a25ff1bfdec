"""The images of the product, built from the unchanged Dockerfile, and containers of them as restricted as compose's."""

import functools
import json
import os
import re
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.images.bases import DOCKERFILE
from tests.images.engine import ROOT, Built, Engine, EngineFailed
from tests.unit.deploy.compose import SERVICES

IMAGES: Final = tuple(re.findall(r"^FROM build AS (\S+)-code$", DOCKERFILE.read_text(), re.MULTILINE))
"""What `SERVICE` may be."""
VERSION: Final = "0.1.0-test"
SOURCE: Final = "https://example.com/quittance"
READY_WITHIN: Final = 120
WRITE: Final = """
import errno
for path in ("/x", "/app/x", "/home/x"):
    try:
        open(path, "w")
    except OSError as error:
        print(errno.errorcode[error.errno])
    else:
        print("written")
open("/tmp/x", "w")
"""
"""Says why each write was refused, and that /tmp takes one."""


@dataclass(frozen=True)
class Builder:
    """Builds any image from a context: this checkout, or a changed copy of it."""

    engine: Engine
    bases: Mapping[str, str]
    directory: Path

    def build(self, service: str, *, context: Path = ROOT) -> Built:
        """Build one image, or take its layers from the build before where nothing changed."""
        arguments = {"SERVICE": service, "VERSION": VERSION, "REVISION": revision(), "SOURCE": SOURCE, **self.bases}
        options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        name = f"localhost/quittance/{service}:{'test' if context == ROOT else 'changed'}"
        dockerfile = context / DOCKERFILE.relative_to(ROOT)
        self.engine.build(dockerfile, context, name, *options, *self._registry())
        return self.engine.inspect(name)

    def _registry(self) -> Iterator[str]:
        """Let the build ask the registry that this machine asks, and trust whom it trusts; nothing of it is kept."""
        index = next(filter(None, map(os.environ.get, ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"))), None)
        lines = ["system-certs = true", *([f'index-url = "{index}"'] if index else [])]
        config = self.directory / "uv.toml"
        config.touch(mode=0o600)
        config.write_text("\n".join(lines) + "\n")
        yield f"--secret=id=uv.toml,src={config}"
        trusted = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
        if trusted:
            yield f"--volume={Path(trusted).resolve()}:/etc/ssl/certs/ca-certificates.crt:ro"


@functools.cache
def revision() -> str:
    """Return the commit of this checkout."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Container:
    """One container that runs, or has ended."""

    engine: Engine
    name: str

    @property
    def state(self) -> Mapping[str, Any]:
        state: Mapping[str, Any] = json.loads(self.engine.podman("inspect", "--format={{json .State}}", self.name))
        return state

    @property
    def logs(self) -> str:
        """The end of what it has printed."""
        return self.engine.podman("logs", self.name, errors=True)[-3000:]

    def python(self, code: str) -> str:
        """Run some Python in the container, as its own user, and return what it prints."""
        return self.engine.podman("exec", self.name, "python", "-c", code).strip()

    def stop(self, *, within: int) -> tuple[float, int]:
        """Send SIGTERM, after `within` seconds SIGKILL; return the seconds that it took and the exit status."""
        before = time.monotonic()
        self.engine.podman("stop", f"--time={within}", self.name)
        return time.monotonic() - before, int(self.state["ExitCode"])


@contextmanager
def started(
    engine: Engine, image: str, command: Sequence[str], *, like: str, environment: Mapping[str, str]
) -> Iterator[Container]:
    """Run a container, as restricted as the service `like` of the compose file, on this machine's network."""
    name = f"quittance-{like}-{time.monotonic_ns()}"
    settings = [f"--env={name}={value}" for name, value in environment.items()]
    try:
        engine.podman(
            *("run", "--detach", "--name", name, "--network=host", *restrictions(SERVICES[like])),
            *(*settings, image, *command),
        )
        yield Container(engine, name)
    finally:
        engine.remove([name])


def restrictions(service: Mapping[str, Any]) -> list[str]:
    """Return the options of `podman run` that say what compose says; a key that is missing there is a failure."""
    return [
        *(["--read-only", "--read-only-tmpfs=false"] if service["read_only"] else []),
        *(f"--tmpfs={path}" for path in service["tmpfs"]),
        *(f"--cap-drop={name}" for name in service["cap_drop"]),
        *(f"--security-opt={text.removesuffix(':true')}" for text in service["security_opt"]),
        f"--memory={service['mem_limit']}",
        f"--pids-limit={service['pids_limit']}",
    ]


def ended(container: Container, *, within: float = 120) -> int:
    """Wait until the container has ended by itself, and return its exit status. Raises `EngineFailed`."""
    try:
        return int(container.engine.podman("wait", container.name, timeout=within).strip())
    except subprocess.TimeoutExpired:
        raise EngineFailed(f"{container.name} did not end: {container.logs}") from None


def answer(port: int, path: str) -> int:
    """Return the status that a server on this machine answers, and 0 where there is none."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5, trust_env=False).status_code
    except httpx.TransportError:
        return 0


def until_answers(container: Container, port: int, path: str) -> None:
    """Wait for a 200. Fails with what the container has printed when it ends before, or says nothing for too long."""
    deadline = time.monotonic() + READY_WITHIN
    while answer(port, path) != 200:
        assert container.state["Running"], container.logs
        assert time.monotonic() < deadline, container.logs
        time.sleep(0.2)
