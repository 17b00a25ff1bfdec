"""Every overlay is taken by a real API server as it is, and rolls out."""

import pytest

from tests.cluster.api.cluster import Cluster
from tests.cluster.manifests import K8S, OVERLAYS
from tests.cluster.nodes.standins import StandIns
from tests.cluster.placing import Overlay, placed, put, rolled_out
from tests.cluster.report import REPORT
from tests.contract.deploy.rendering import documents, file_of


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.timeout(300)
async def test_an_overlay_rolls_out(cluster: Cluster, overlays: dict[str, Overlay], name: str) -> None:
    overlay = overlays[name]

    await rolled_out(cluster, overlay.namespace)

    made = await cluster.items(f"/apis/apps/v1/namespaces/{overlay.namespace}/deployments")
    assert {found["metadata"]["name"] for found in made} >= _names(overlay, "Deployment") != set()
    assert all(found["status"]["readyReplicas"] == found["spec"]["replicas"] for found in made)
    count, deployments = len(overlay.objects), len(made)
    REPORT.ran.append(f"overlay {name}: {count} objects applied server-side, {deployments} Deployments rolled out")


@pytest.mark.parametrize("name", OVERLAYS)
async def test_the_committed_render_is_what_kustomize_makes(cluster: Cluster, name: str) -> None:
    """Policy tests read the committed one, on machines that have no kustomize."""
    made = await cluster.do("kustomize", str(K8S / "overlays" / name))

    assert documents(file_of(name).read_text()) == documents(made)


@pytest.mark.parametrize("name", OVERLAYS)
async def test_its_namespace_enforces_restricted(cluster: Cluster, overlays: dict[str, Overlay], name: str) -> None:
    answer = await cluster.api.get(f"/api/v1/namespaces/{overlays[name].namespace}")

    labels = answer.raise_for_status().json()["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["app.kubernetes.io/part-of"] == "quittance"


@pytest.mark.parametrize("name", OVERLAYS)
async def test_applying_it_again_changes_nothing(cluster: Cluster, overlays: dict[str, Overlay], name: str) -> None:
    namespace = overlays[name].namespace
    before = await _generations(cluster, namespace)

    await put(cluster, placed(overlays[name].objects, StandIns.kind))

    assert await _generations(cluster, namespace) == before


async def _generations(cluster: Cluster, namespace: str) -> dict[str, int]:
    """Return how often the words of each workload were changed."""
    deployments = await cluster.items(f"/apis/apps/v1/namespaces/{namespace}/deployments")
    jobs = await cluster.items(f"/apis/batch/v1/namespaces/{namespace}/jobs")
    return {found["metadata"]["name"]: found["metadata"]["generation"] for found in (*deployments, *jobs)}


def _names(overlay: Overlay, kind: str) -> set[str]:
    return {found["metadata"]["name"] for found in overlay.of_kind(kind)}
