"""Pods without processes: each becomes Running, then Ready, as a kubelet would say; a Job's becomes Succeeded."""

import itertools
import time
from typing import Final

from tests.cluster.api.cluster import Cluster, Object
from tests.cluster.nodes.fleet import conditions, is_of_job, now, patch_status, path_of, remove

_READY_AFTER_SECONDS: Final = 1.0
_GONE_AFTER_SECONDS: Final = 1.0
"""Long enough that a controller which did not wait for either would be seen."""
_addresses = itertools.count(1)


class StandIns:
    """The runtime of one node. While `hold` is set, pods that are new stay Running and do not become Ready."""

    kind = "stand-in"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._since: dict[str, float] = {}
        self._ready: set[str] = set()
        self.hold = False

    async def sync(self, pod: Object) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            if self._age(pod, "going") > _GONE_AFTER_SECONDS:
                await remove(self._cluster, pod)
        elif pod["status"].get("phase", "Pending") == "Pending":
            await self._start(pod)
        elif pod["status"]["phase"] == "Running" and self._is_due(pod):
            self._ready.add(pod["metadata"]["uid"])
            await patch_status(self._cluster, path_of(pod), _running(pod, ready=True))

    async def close(self) -> None:
        """End nothing: nothing runs."""

    def _is_due(self, pod: Object) -> bool:
        new = pod["metadata"]["uid"] not in self._ready
        return new and not self.hold and self._age(pod, "running") > _READY_AFTER_SECONDS

    def _age(self, pod: Object, state: str) -> float:
        """Return the seconds since this pod was first seen in this state."""
        now = time.monotonic()
        return now - self._since.setdefault(f"{state} {pod['metadata']['uid']}", now)

    async def _start(self, pod: Object) -> None:
        number = next(_addresses)
        status = _succeeded(pod) if is_of_job(pod) else _running(pod, ready=False)
        address = f"10.240.{number // 250}.{number % 250 + 1}"
        place = {"startTime": now(), "podIP": address, "podIPs": [{"ip": address}]}
        await patch_status(self._cluster, path_of(pod), status | place)


def _running(pod: Object, *, ready: bool) -> Object:
    containers = [
        _container(c, ready=ready, state={"running": {"startedAt": now()}}) for c in pod["spec"]["containers"]
    ]
    return {"phase": "Running", "containerStatuses": containers, "conditions": conditions(ready=ready)}


def _succeeded(pod: Object) -> Object:
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now(), "finishedAt": now()}}
    containers = [_container(c, ready=False, state=ended) for c in pod["spec"]["containers"]]
    return {"phase": "Succeeded", "containerStatuses": containers, "conditions": conditions(ready=False)}


def _container(container: Object, *, ready: bool, state: Object) -> Object:
    what = {"name": container["name"], "image": container["image"], "imageID": f"stand-in/{container['image']}"}
    return {**what, "ready": ready, "started": ready, "restartCount": 0, "state": state}
