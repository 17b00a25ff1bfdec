"""What happens to pods while a test does something else: every change in its order, so that no moment is missed."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.cluster.api.cluster import Cluster, Object


@dataclass(slots=True)
class Budget:
    """A PodDisruptionBudget: how many of its pods have to be ready, and the fewest that ever were."""

    desired: int
    labels: dict[str, str]
    fewest: int


@dataclass(slots=True)
class Watched:
    """The budgets of a namespace by name, the images that were seen ready, and how many changes were looked at."""

    budgets: dict[str, Budget]
    pods: dict[str, Object]
    changes: int = 0
    images: set[str] = field(default_factory=set)

    @property
    def undercut(self) -> dict[str, tuple[int, int]]:
        """Return budgets of which fewer pods were ready than had to be: (fewest, desired)."""
        below = {name: budget for name, budget in self.budgets.items() if budget.fewest < budget.desired}
        return {name: (budget.fewest, budget.desired) for name, budget in below.items()}

    def look(self) -> None:
        """Count the pods that are ready now."""
        self.changes += 1
        ready = [pod for pod in self.pods.values() if is_ready(pod)]
        self.images |= {container["image"] for pod in ready for container in pod["spec"]["containers"]}
        for budget in self.budgets.values():
            count = sum(1 for pod in ready if budget.labels.items() <= pod["metadata"]["labels"].items())
            budget.fewest = min(budget.fewest, count)


@asynccontextmanager
async def watched_budgets(cluster: Cluster, namespace: str) -> AsyncIterator[Watched]:
    """Watch the pods of `namespace` until the block ends. Raises RuntimeError where the watch was cut off."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    listed = (await cluster.api.get(path)).raise_for_status().json()
    seen = Watched(await _budgets(cluster, namespace), {pod["metadata"]["name"]: pod for pod in listed["items"]})
    seen.look()
    watching = asyncio.create_task(_watch(cluster, path, listed["metadata"]["resourceVersion"], seen))
    try:
        yield seen
        if watching.done():
            watching.result()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(cluster: Cluster, path: str, version: str, seen: Watched) -> None:
    async for change in cluster.watch(path, version=version):
        pod, name = change["object"], change["object"]["metadata"]["name"]
        if change["type"] == "DELETED":
            seen.pods.pop(name, None)
        else:
            seen.pods[name] = pod
        seen.look()


async def _budgets(cluster: Cluster, namespace: str) -> dict[str, Budget]:
    found = await cluster.items(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets")
    return {
        budget["metadata"]["name"]: Budget(
            desired=budget["status"]["desiredHealthy"],
            labels=budget["spec"]["selector"]["matchLabels"],
            fewest=sys.maxsize,  # until the pods are counted: the controller's own count comes later than they do
        )
        for budget in found
    }


def is_ready(pod: Object) -> bool:
    """Return whether this pod is ready and is not being deleted, which is how the budget's controller counts."""
    states = {state["type"]: state["status"] for state in pod["status"].get("conditions", [])}
    return states.get("Ready") == "True" and not pod["metadata"].get("deletionTimestamp")
