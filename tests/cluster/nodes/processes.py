"""Pods with their real processes: what the pod spec says is started here, with an address of its own on loopback."""

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.cluster.api.cluster import Cluster, Object
from tests.cluster.nodes.container import Container
from tests.cluster.nodes.fleet import conditions, is_of_job, now, patch_status, path_of, remove
from tests.cluster.nodes.resolved import Unresolved, resolve

_AGAIN_SECONDS: Final = 2.0


class Network:
    """Addresses of one run. An endpoint must not be on loopback, so 10.x.y.z in the API is 127.x.y.z here."""

    def __init__(self) -> None:
        self._second, self._held = _free_second()
        self._numbers: Iterator[int] = iter(range(1, 60_000))

    def new(self) -> str:
        """Return an address that no pod had, as the API is to know it."""
        number = next(self._numbers)
        return f"10.{self._second}.{number // 250}.{number % 250 + 2}"

    @staticmethod
    def here(address: str) -> str:
        """Return where the pod of this address listens."""
        return "127" + address.removeprefix("10")

    def close(self) -> None:
        """Leave the addresses to the next run."""
        self._held.close()


def _free_second() -> tuple[int, socket.socket]:
    """Return a second part of addresses that no other run has, and the socket that says so."""
    for second in random.sample(range(16, 240), 200):
        held = socket.socket()
        try:
            held.bind((f"127.{second}.0.1", 8000))
        except OSError:
            held.close()
        else:
            return second, held
    raise RuntimeError("every address on loopback is taken")


@dataclass(slots=True)
class Pod:
    """A pod that runs here, and what became of it."""

    spec: Object
    address: str
    root: Path
    containers: list[Container] = field(default_factory=list)
    running: asyncio.Task[None] | None = None
    stopping: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return str(self.spec["metadata"]["name"])

    @property
    def app(self) -> str:
        """Return what the pod is, as its label says."""
        return str(self.spec["metadata"]["labels"]["app.kubernetes.io/name"])

    @property
    def image(self) -> str:
        return str(self.spec["spec"]["containers"][0]["image"])


class Processes:
    """The runtime of one node. `pods` has every pod that ever ran here."""

    kind = "processes"

    def __init__(self, cluster: Cluster, network: Network, directory: Path) -> None:
        self._cluster = cluster
        self._network = network
        self._directory = directory
        self.pods: dict[str, Pod] = {}

    async def sync(self, pod: Object) -> None:
        uid, going = pod["metadata"]["uid"], pod["metadata"].get("deletionTimestamp")
        known = self.pods.get(uid)
        if known is None and not going and pod["status"].get("phase", "Pending") == "Pending":
            known = self.pods[uid] = Pod(pod, self._network.new(), self._directory / pod["metadata"]["name"])
            known.running = asyncio.create_task(self._run(known), name=known.name)
        elif known is None and going:
            await remove(self._cluster, pod)
        elif known is not None and going and known.stopping is None:
            known.stopping = asyncio.create_task(self._stop(known))
        for task in (known.running, known.stopping) if known else ():
            if task is not None and task.done() and not task.cancelled():
                task.result()

    async def close(self) -> None:
        """Kill what still runs."""
        for pod in self.pods.values():
            for task in (pod.running, pod.stopping):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            for container in pod.containers:
                await container.process.kill()
        self._network.close()

    async def _run(self, pod: Pod) -> None:
        """Run the pod. What is missing is said in its status and looked for again: a Secret may come later."""
        while True:
            try:
                return await self._run_containers(pod)
            except Unresolved as missing:
                waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": str(missing)}}
                container = {"name": pod.spec["spec"]["containers"][0]["name"], "image": pod.image, "imageID": ""}
                status = {**container, "ready": False, "restartCount": 0, "state": waiting}
                await self._say(pod, {"phase": "Pending", "containerStatuses": [status]})
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _run_containers(self, pod: Pod) -> None:
        """Run the init containers one after the other, then the others."""
        await self._say(pod, {"phase": "Pending", "startTime": now()})
        for spec in pod.spec["spec"].get("initContainers", []):
            await self._until_done(pod, spec)
        pod.containers = [await self._container(pod, spec) for spec in pod.spec["spec"]["containers"]]
        await (self._finish(pod) if is_of_job(pod.spec) else self._serve(pod))

    async def _until_done(self, pod: Pod, spec: Object) -> None:
        """Run an init container, and again after a while as long as it fails."""
        while True:
            pod.containers = [await self._container(pod, spec)]
            if await pod.containers[0].run_to_end() == 0:
                return
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _container(self, pod: Pod, spec: Object) -> Container:
        here = self._network.here(pod.address)
        started = await resolve(self._cluster, pod.spec, spec, root=pod.root, address=here)
        log = pod.root / f"{spec['name']}.log"
        return Container(spec, started, address=here, log=log, changed=lambda: self._say_running(pod))

    async def _serve(self, pod: Pod) -> None:
        await self._say_running(pod)
        async with asyncio.TaskGroup() as tasks:
            for container in pod.containers:
                tasks.create_task(container.serve())

    async def _finish(self, pod: Pod) -> None:
        """Run a Job's pod to its end: it has succeeded where every container ended with 0."""
        await self._say_running(pod)
        codes = await asyncio.gather(*(container.run_to_end() for container in pod.containers))
        statuses = []
        for container, code in zip(pod.containers, codes, strict=True):
            reason = "Error" if code else "Completed"
            ended = {"exitCode": code, "reason": reason, "startedAt": now(), "finishedAt": now()}
            statuses.append(_status(container, {"terminated": ended}))
        phase = "Failed" if any(codes) else "Succeeded"
        await self._say(pod, {"phase": phase, "containerStatuses": statuses, "conditions": conditions(ready=False)})

    async def _stop(self, pod: Pod) -> None:
        """Stop the containers within the grace period that the deletion was given, then let the API forget the pod."""
        path = path_of(pod.spec)
        answer = await self._cluster.api.get(path)
        grace = answer.json()["metadata"].get("deletionGracePeriodSeconds", 30) if answer.is_success else 0
        await asyncio.gather(*(container.stop(grace) for container in pod.containers))
        if pod.running is not None:
            pod.running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pod.running
        for container in pod.containers:
            await container.process.kill()
        await remove(self._cluster, pod.spec)

    async def _say_running(self, pod: Pod) -> None:
        ready = all(container.ready for container in pod.containers)
        statuses = [_status(container, {"running": {"startedAt": now()}}) for container in pod.containers]
        status = {"phase": "Running", "containerStatuses": statuses, "conditions": conditions(ready=ready)}
        await self._say(pod, status)

    async def _say(self, pod: Pod, status: Object) -> None:
        place = {"podIP": pod.address, "podIPs": [{"ip": pod.address}]}
        await patch_status(self._cluster, path_of(pod.spec), status | place)


def _status(container: Container, state: Object) -> Object:
    image = container.spec["image"]
    what = {"name": container.spec["name"], "image": image, "imageID": f"process/{image}"}
    return {
        **what,
        "ready": container.ready,
        "started": container.started,
        "restartCount": container.restarts,
        "state": state,
    }
