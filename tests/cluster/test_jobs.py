"""A Job that is applied a second time runs a second time, and finds nothing in its way."""

import pytest

from tests.cluster.api.cluster import Cluster
from tests.cluster.manifests import dumped
from tests.cluster.nodes.standins import StandIns
from tests.cluster.placing import Overlay, placed, rolled_out


@pytest.mark.timeout(300)
async def test_the_jobs_run_again(cluster: Cluster, overlays: dict[str, Overlay]) -> None:
    """A finished Job stays until its time is up; deleted and applied again, as the runbook says, it runs again."""
    overlay = overlays["production"]
    await rolled_out(cluster, overlay.namespace)
    jobs = placed(overlay.of_kind("Job"), StandIns.kind)
    names = {job["metadata"]["name"] for job in jobs}
    before = await _completed(cluster, overlay.namespace, names)

    await cluster.do("delete", "-n", overlay.namespace, "--timeout=60s", *(f"job/{name}" for name in names))
    await cluster.apply(dumped(jobs))
    await rolled_out(cluster, overlay.namespace)

    after = await _completed(cluster, overlay.namespace, names)
    assert {name.split("-migrate")[0] for name in after if "-migrate" in name} == {"catalog", "notifier", "purchases"}
    assert after.keys() == before.keys() == names
    assert all(after[name] != before[name] for name in after)


async def _completed(cluster: Cluster, namespace: str, names: set[str]) -> dict[str, str]:
    """Return the ids of those of these Jobs that have succeeded, by name."""
    jobs = await cluster.items(f"/apis/batch/v1/namespaces/{namespace}/jobs")
    ids = {job["metadata"]["name"]: job["metadata"]["uid"] for job in jobs if job["status"].get("succeeded") == 1}
    return {name: uid for name, uid in ids.items() if name in names}
