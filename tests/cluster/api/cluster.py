"""The API server that the suite asks: through `kubectl`, and as plain HTTP through `kubectl proxy`."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from sandbox.process import Process
from tests.cluster.api.server import ControlPlane
from tests.cluster.build import binary

KUBECTL_SECONDS: Final = 120
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command of kubectl ended."""

    code: int
    out: str
    error: str


class Refused(RuntimeError):  # noqa: N818 - named for what happened
    """kubectl ended with an error; the message is what it printed."""


class Cluster:
    """An API server with its kubeconfig. `own` is false where KUBECONFIG named an existing one."""

    def __init__(self, *, kubectl: Sequence[str | Path], kubeconfig: Path, own: bool, api: httpx.AsyncClient) -> None:
        self._kubectl = [str(word) for word in kubectl]
        self._kubeconfig = kubeconfig
        self.own = own
        self.api = api

    async def kubectl(self, *words: str, stdin: str | None = None, within: float = KUBECTL_SECONDS) -> Done:
        """Run kubectl, which is killed after `within` seconds. Raises TimeoutError."""
        process = await self.start(*words)
        try:
            out, error = await asyncio.wait_for(process.communicate(stdin.encode() if stdin else None), within)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Done(process.returncode or 0, out.decode(), error.decode())

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Start kubectl, and leave it to the caller to end it."""
        pipe = asyncio.subprocess.PIPE
        command = [*self._kubectl, f"--kubeconfig={self._kubeconfig}", *words]
        return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)

    async def do(self, *words: str, stdin: str | None = None, within: float = KUBECTL_SECONDS) -> str:
        """Run kubectl and return what it printed. Raises Refused, TimeoutError."""
        done = await self.kubectl(*words, stdin=stdin, within=within)
        if done.code:
            raise Refused(f"kubectl {' '.join(words)}: {done.error}{done.out}")
        return done.out

    async def apply(self, manifests: str, *more: str) -> str:
        """Apply server-side, with unknown fields refused. Raises Refused."""
        return await self.do("apply", "--server-side", "--validate=strict", "-f", "-", *more, stdin=manifests)

    async def items(self, path: str, **query: str) -> list[Object]:
        """Return the objects of a collection, which may be absent. Raises HTTPStatusError."""
        answer = await self.api.get(path, params=query)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        found: list[Object] = answer.raise_for_status().json()["items"]
        return found

    async def watch(self, path: str, *, version: str) -> AsyncIterator[Object]:
        """Yield every change after `version`, in order. Raises RuntimeError where it is cut off."""
        query = {"watch": "true", "resourceVersion": version}
        async with self.api.stream("GET", path, params=query, timeout=None) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                yield json.loads(line)
        raise RuntimeError(f"the watch of {path} was cut off")


@asynccontextmanager
async def a_cluster(directory: Path) -> AsyncIterator[Cluster]:
    """Yield the cluster that KUBECONFIG names, else a control plane of our own, which ends with the block.

    Nobody else may read `directory`: the administrator's token and socket are in it.
    """
    if given := os.environ.get("KUBECONFIG"):
        kubectl = shutil.which("kubectl")
        command: list[str | Path] = [kubectl] if kubectl else [await asyncio.to_thread(binary), "kubectl"]
        async with _proxied(command, Path(given), directory, own=False) as cluster:
            yield cluster
    else:
        built = await asyncio.to_thread(binary)
        plane = ControlPlane(binary=built, directory=directory / "control-plane")
        async with plane.running(), _proxied([built, "kubectl"], plane.kubeconfig, directory, own=True) as cluster:
            yield cluster


@asynccontextmanager
async def _proxied(
    kubectl: Sequence[str | Path], kubeconfig: Path, directory: Path, *, own: bool
) -> AsyncIterator[Cluster]:
    """Let kubectl sign us in, whichever way the kubeconfig says; its socket is a file that only we can open."""
    socket = directory / "api.sock"
    words = [*kubectl, f"--kubeconfig={kubeconfig}", "proxy", f"--unix-socket={socket}"]
    process = Process("kubectl-proxy", words, log=directory / "kubectl-proxy.log")
    process.start()
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=30) as api:
            await process.until(lambda: _ready(api), within=60)
            yield Cluster(kubectl=kubectl, kubeconfig=kubeconfig, own=own, api=api)
    finally:
        await process.stop()


async def _ready(api: httpx.AsyncClient) -> bool:
    try:
        return (await api.get("/readyz")).is_success
    except httpx.TransportError:
        return False
