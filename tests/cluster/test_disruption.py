"""Nodes are drained and images changed, and there are always as many pods as a budget asks for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.cluster.api.cluster import Cluster, Object
from tests.cluster.api.watching import is_ready, watched_budgets
from tests.cluster.manifests import Manifests
from tests.cluster.nodes.standins import StandIns
from tests.cluster.placing import Overlay, placed, put, rolled_out
from tests.cluster.report import REPORT

REFUSED = "would violate the pod's disruption budget"


@pytest.fixture
async def production(
    cluster: Cluster, overlays: dict[str, Overlay], stand_ins: dict[str, StandIns]
) -> AsyncIterator[Overlay]:
    """The production overlay, rolled out; whatever a test did to the nodes is undone."""
    await rolled_out(cluster, overlays["production"].namespace)
    yield overlays["production"]
    for name, node in stand_ins.items():
        node.hold = False
        await cluster.do("uncordon", name)
    await rolled_out(cluster, overlays["production"].namespace)


@pytest.mark.timeout(300)
async def test_a_drain_stops_at_the_budget_and_goes_on(
    cluster: Cluster, production: Overlay, stand_ins: dict[str, StandIns]
) -> None:
    """Two nodes at once, while what takes the place of the evicted pods does not become ready."""
    namespace = production.namespace
    for node in stand_ins.values():
        node.hold = True
    first, second = list(stand_ins)[:2]

    # Both before any pod is evicted: else the scheduler puts it on the other one while that is being cordoned.
    for name in (first, second):
        await cluster.do("cordon", name)
    async with watched_budgets(cluster, namespace) as seen:
        drains = [await _drain(cluster, name, namespace) for name in (first, second)]
        try:
            # Both say so again and again, every five seconds, and neither ends.
            stopped = await _says(drains, REFUSED)
            left = [pod for pod in await _pods_of(cluster, namespace, {first, second}) if is_ready(pod)]
            for node in stand_ins.values():
                node.hold = False
            codes = await asyncio.wait_for(asyncio.gather(*(drain.wait() for drain in drains)), 120)
        finally:
            await _end(drains)

    assert stopped
    assert left != []
    assert codes == [0, 0]
    assert await _pods_of(cluster, namespace, {first, second}) == []
    assert seen.undercut == {}
    assert any(budget.desired > 0 for budget in seen.budgets.values())
    REPORT.ran.append(
        f"a drain of two nodes of three: refused by the budgets, gone on once the new pods were ready; "
        f"{seen.changes} changes of pods looked at, no budget undercut"
    )


@pytest.mark.timeout(300)
async def test_an_image_change_rolls_without_a_moment_below_a_budget(
    cluster: Cluster, production: Overlay, manifests: Manifests
) -> None:
    old = manifests.version
    manifests.set_version("0.1.999")
    try:
        changed = await manifests.render("production", namespace=production.namespace)
        async with watched_budgets(cluster, production.namespace) as seen:
            await put(cluster, placed(changed, StandIns.kind))
            await rolled_out(cluster, production.namespace)
    finally:
        manifests.set_version(old)
        await put(cluster, placed(production.objects, StandIns.kind))

    running = {name.rpartition(":")[2] for name in _images(list(seen.pods.values()))}
    assert {old, "0.1.999"} <= {name.rpartition(":")[2] for name in seen.images}
    assert running == {"0.1.999"}
    assert seen.undercut == {}
    assert any(budget.desired > 0 for budget in seen.budgets.values())
    fewest = ", ".join(f"{name} {budget.fewest}/{budget.desired}" for name, budget in sorted(seen.budgets.items()))
    REPORT.ran.append(f"an image change: {seen.changes} changes of pods looked at; fewest ready/asked for: {fewest}")


async def _drain(cluster: Cluster, node: str, namespace: str) -> asyncio.subprocess.Process:
    """Drain a node of the pods of this namespace: other overlays' are none of this test's."""
    selector = "--pod-selector=app.kubernetes.io/part-of=quittance"
    return await cluster.start(
        "drain", node, selector, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=150s"
    )


async def _says(drains: list[asyncio.subprocess.Process], words: str) -> bool:
    """Read what they print until one of them says `words`, while it runs on."""
    found = await asyncio.wait_for(
        asyncio.gather(*(_until_said(drain, words) for drain in drains), return_exceptions=False), 90
    )
    return any(found) and all(drain.returncode is None for drain, said in zip(drains, found, strict=True) if said)


async def _until_said(drain: asyncio.subprocess.Process, words: str) -> bool:
    assert drain.stderr is not None
    while line := await drain.stderr.readline():
        if words in line.decode():
            return True
    return False


async def _end(drains: list[asyncio.subprocess.Process]) -> None:
    for drain in drains:
        if drain.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                drain.kill()
        await drain.communicate()


async def _pods_of(cluster: Cluster, namespace: str, nodes: set[str]) -> list[Object]:
    """Return the pods on these nodes that are not of Jobs, which a drain leaves where they ended."""
    pods = await cluster.items(f"/api/v1/namespaces/{namespace}/pods")
    return [
        pod
        for pod in pods
        if pod["spec"].get("nodeName") in nodes and pod["status"].get("phase") in ("Pending", "Running")
    ]


def _images(pods: list[Object]) -> set[str]:
    return {container["image"] for pod in pods if is_ready(pod) for container in pod["spec"]["containers"]}
