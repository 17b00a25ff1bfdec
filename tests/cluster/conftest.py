"""One API server for the suite, with our policies, stand-in nodes, and every overlay in a namespace of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.cluster.api.cluster import Cluster, a_cluster
from tests.cluster.manifests import OVERLAYS, POLICIES, Manifests, define_custom_kinds
from tests.cluster.nodes.fleet import Fleet
from tests.cluster.nodes.standins import StandIns
from tests.cluster.placing import Overlay, forget, placed, put
from tests.cluster.report import REPORT

NODES = ("stand-in-1", "stand-in-2", "stand-in-3")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this run can be taken for."""
    terminalreporter.section("cluster: what this run shows")
    for line in REPORT.lines():
        terminalreporter.line(line)


@pytest.fixture(scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """The API server, with our admission policies in force."""
    async with a_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        await cluster.apply(await cluster.do("kustomize", str(POLICIES)))
        version = (await cluster.api.get("/version")).raise_for_status().json()["gitVersion"]
        whose = "its own, from Go modules" if cluster.own else "the one of KUBECONFIG"
        REPORT.ran.append(f"a Kubernetes {version} API server with its controllers and scheduler: {whose}")
        yield cluster


@pytest.fixture(scope="session")
def manifests(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    """A copy of deploy/k8s, to render."""
    return Manifests(cluster, tmp_path_factory.mktemp("manifests"))


@pytest.fixture(scope="session")
async def stand_ins(cluster: Cluster) -> AsyncIterator[dict[str, StandIns]]:
    """Three nodes in three zones, by name, whose pods have no processes."""
    nodes = {name: StandIns(cluster) for name in NODES}
    async with Fleet(cluster, nodes).running():
        yield nodes


@pytest.fixture(scope="session")
async def overlays(
    cluster: Cluster, manifests: Manifests, stand_ins: dict[str, StandIns]
) -> AsyncIterator[dict[str, Overlay]]:
    """Every overlay as it was applied, by name. Their namespaces go in the end."""
    applied: dict[str, Overlay] = {}
    for name in OVERLAYS:
        namespace = f"quittance-{name}"
        objects = await manifests.render(name, namespace=namespace)
        applied[name] = Overlay(name=name, namespace=namespace, objects=objects)
    everything = [found for overlay in applied.values() for found in overlay.objects]
    free = await define_custom_kinds(cluster, everything)
    REPORT.note(applied.values(), not_held=free)
    try:
        for overlay in applied.values():
            await put(cluster, placed(overlay.objects, StandIns.kind))
        yield applied
    finally:
        if not cluster.own:
            for overlay in applied.values():
                await forget(cluster, overlay.namespace)
