"""Nodes that no machine stands behind: registered, kept alive, and asked what becomes of the pods bound to them."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from tests.cluster.api.cluster import Cluster, Object

RUNTIME: Final = "quittance.test/runtime"
"""The label by which pods are sent to nodes without processes, or to those with."""
_POLL_SECONDS: Final = 0.25
_BEAT_SECONDS: Final = 8.0
_CAPACITY: Final = {"cpu": "64", "memory": "256Gi", "pods": "250", "ephemeral-storage": "500Gi"}
_STRATEGIC: Final = "application/strategic-merge-patch+json"


class Runtime(Protocol):
    """What a node does with its pods: it is asked about each one of them again and again."""

    kind: str

    async def sync(self, pod: Object) -> None:
        """Bring this pod a step further. Called one at a time, and never for long."""

    async def close(self) -> None:
        """End whatever still runs."""


class Fleet:
    """All nodes of a run; each has the runtime that its name is given with."""

    def __init__(self, cluster: Cluster, runtimes: Mapping[str, Runtime]) -> None:
        self._cluster = cluster
        self._runtimes = runtimes

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Register the nodes and serve them until the block ends; then remove them. A failed loop ends the block."""
        for number, (name, runtime) in enumerate(self._runtimes.items(), start=1):
            await self._register(name, zone=f"zone-{number}", kind=runtime.kind)
        try:
            async with asyncio.TaskGroup() as tasks:
                loops = [tasks.create_task(self._serve()), tasks.create_task(self._beat())]
                try:
                    yield
                finally:
                    for loop in loops:
                        loop.cancel()
        finally:
            for name, runtime in self._runtimes.items():
                await runtime.close()
                await self._cluster.api.delete(f"/api/v1/nodes/{name}")

    async def _register(self, name: str, *, zone: str, kind: str) -> None:
        """Make the node anew; the node controller takes its taints away once it is Ready."""
        labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, RUNTIME: kind}
        await self._cluster.api.delete(f"/api/v1/nodes/{name}")
        node = {"metadata": {"name": name, "labels": labels}}
        (await self._cluster.api.post("/api/v1/nodes", json=node)).raise_for_status()
        await self._say_ready(name, changed=True)

    async def _say_ready(self, name: str, *, changed: bool = False) -> None:
        condition = {"type": "Ready", "status": "True", "reason": "StandIn", "lastHeartbeatTime": now()}
        status: dict[str, Any] = {"conditions": [condition]}
        if changed:
            condition["lastTransitionTime"] = now()
            status |= {"capacity": _CAPACITY, "allocatable": _CAPACITY}
        await patch_status(self._cluster, f"/api/v1/nodes/{name}", status)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            for name in self._runtimes:
                await self._say_ready(name)

    async def _serve(self) -> None:
        while True:
            began = time.monotonic()
            pods = await self._cluster.items("/api/v1/pods", resourceVersion="0")
            by_node: dict[str, list[Object]] = defaultdict(list)
            for pod in pods:
                by_node[pod["spec"].get("nodeName", "")].append(pod)
            for name, runtime in self._runtimes.items():
                for pod in by_node[name]:
                    await runtime.sync(pod)
            await asyncio.sleep(max(0.05, _POLL_SECONDS - (time.monotonic() - began)))


def now() -> str:
    """Return the time as the API server writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def path_of(pod: Object) -> str:
    """Return where this pod stands in the API."""
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


async def patch_status(cluster: Cluster, path: str, status: Object) -> None:
    """Merge into the status of what may have gone meanwhile. Raises HTTPStatusError."""
    answer = await cluster.api.patch(f"{path}/status", json={"status": status}, headers={"Content-Type": _STRATEGIC})
    if answer.status_code not in (404, 409):
        answer.raise_for_status()


async def remove(cluster: Cluster, pod: Object) -> None:
    """Say that this pod has ended on its node: the API server forgets it, and no other pod of its name."""
    options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
    answer = await cluster.api.request("DELETE", path_of(pod), json=options)
    if answer.status_code not in (404, 409):
        answer.raise_for_status()


def conditions(*, ready: bool) -> list[Object]:
    """Return the conditions of a pod whose containers were started."""
    state = {"Initialized": True, "ContainersReady": ready, "Ready": ready}
    return [{"type": name, "status": str(value), "lastTransitionTime": now()} for name, value in state.items()]


def is_of_job(pod: Object) -> bool:
    """Return whether this pod is to end by itself."""
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", []))
