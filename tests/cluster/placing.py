"""Puts an overlay into a namespace: on the nodes that are meant for it, and with what is no part of the manifests."""

import asyncio
import copy
from dataclasses import dataclass
from typing import Final

from tests.cluster.api.cluster import Cluster, Object
from tests.cluster.manifests import dumped
from tests.cluster.nodes.fleet import RUNTIME

ROLLED_OUT_SECONDS: Final = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """An overlay as it was rendered, and the namespace that it went to."""

    name: str
    namespace: str
    objects: list[Object]

    def of_kind(self, kind: str) -> list[Object]:
        """Return its objects of this kind."""
        return [found for found in self.objects if found["kind"] == kind]


def placed(objects: list[Object], runtime: str) -> list[Object]:
    """Return copies whose pods go to the nodes of this runtime: the one thing that is changed of what is applied."""
    made = copy.deepcopy(objects)
    for found in made:
        if template := pod_template(found):
            template["spec"].setdefault("nodeSelector", {})[RUNTIME] = runtime
    return made


def pod_template(found: Object) -> Object | None:
    """Return the template of the pods that this object makes, if it makes any."""
    spec = found.get("spec", {})
    if found["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if found["kind"] in ("CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet"):
        template: Object = spec["template"]
        return template
    return None


async def put(cluster: Cluster, objects: list[Object]) -> None:
    """Apply them server-side, the namespace first. Raises Refused."""
    first = [found for found in objects if found["kind"] == "Namespace"]
    await cluster.apply(dumped(first))
    await cluster.apply(dumped([found for found in objects if found["kind"] != "Namespace"]))


async def rolled_out(cluster: Cluster, namespace: str, *, within: int = ROLLED_OUT_SECONDS) -> None:
    """Wait until every Deployment runs as it was last applied, and every Job has succeeded. Raises Refused."""
    jobs = await cluster.items(f"/apis/batch/v1/namespaces/{namespace}/jobs")
    if jobs:
        names = [f"job/{job['metadata']['name']}" for job in jobs]
        await cluster.do(
            *("wait", "-n", namespace, "--for=condition=Complete", f"--timeout={within}s", *names), within=within + 30
        )
    for deployment in await cluster.items(f"/apis/apps/v1/namespaces/{namespace}/deployments"):
        name = f"deployment/{deployment['metadata']['name']}"
        await cluster.do(*("rollout", "status", "-n", namespace, name, f"--timeout={within}s"), within=within + 30)


async def none_is_ending(cluster: Cluster, namespace: str, *, within: int = ROLLED_OUT_SECONDS) -> None:
    """Wait until each pod that was replaced has gone: a roll-out is over before. Raises TimeoutError."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    async with asyncio.timeout(within):
        while any("deletionTimestamp" in pod["metadata"] for pod in await cluster.items(path)):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def forget(cluster: Cluster, namespace: str) -> None:
    """Delete the namespace with all that is in it, and wait for its end."""
    await cluster.do("delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s", within=150)
