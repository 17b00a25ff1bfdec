"""A Job that is applied a second time runs a second time, and finds nothing in its way."""

import re
from typing import Final

import pytest

from tests.cluster.api.cluster import Cluster, Object
from tests.cluster.manifests import K8S, dumped
from tests.cluster.nodes.standins import StandIns
from tests.cluster.placing import Overlay, placed, rolled_out

BEFORE_APPLY: Final = re.compile(r"`kubectl -n quittance (delete job -l) '([^']+)'`")
"""The step of deploy/k8s/README.md that takes the Jobs of before away."""


@pytest.mark.timeout(300)
async def test_the_jobs_run_again(cluster: Cluster, overlays: dict[str, Overlay]) -> None:
    """A finished Job stays until its time is up; deleted and applied again, as the README says, it runs again."""
    overlay = overlays["production"]
    await rolled_out(cluster, overlay.namespace)
    jobs = placed(overlay.of_kind("Job"), StandIns.kind)
    names = {job["metadata"]["name"] for job in jobs}
    before = await _completed(cluster, overlay.namespace, names)

    [(delete, selector)] = BEFORE_APPLY.findall((K8S / "README.md").read_text())

    await cluster.do(*delete.split(), selector, "-n", overlay.namespace, "--timeout=60s")
    await cluster.apply(dumped(jobs))
    await rolled_out(cluster, overlay.namespace)

    after = await _completed(cluster, overlay.namespace, names)
    assert {name.split("-migrate")[0] for name in after if "-migrate" in name} == {"catalog", "notifier", "purchases"}
    assert after.keys() == before.keys() == names
    assert all(after[name] != before[name] for name in after)


@pytest.mark.timeout(300)
async def test_a_job_with_another_setting_is_refused_while_the_one_before_is_there(
    cluster: Cluster, overlays: dict[str, Overlay]
) -> None:
    """Why the README deletes the Jobs first."""
    overlay = overlays["production"]
    await rolled_out(cluster, overlay.namespace)
    words = ("apply", "--server-side", "--dry-run=server", "-f", "-")

    done = await cluster.kubectl(*words, stdin=dumped(_with_another_setting(overlay.of_kind("Job"))))

    assert done.code != 0
    assert "field is immutable" in done.error


def _with_another_setting(jobs: list[Object]) -> list[Object]:
    """Return copies of these Jobs as a changed ConfigMap makes them: its name is another."""
    made = placed(jobs, StandIns.kind)
    for job in made:
        for source in job["spec"]["template"]["spec"]["containers"][0]["envFrom"]:
            source["configMapRef"]["name"] += "-changed"
    return made


async def _completed(cluster: Cluster, namespace: str, names: set[str]) -> dict[str, str]:
    """Return the ids of those of these Jobs that have succeeded, by name."""
    jobs = await cluster.items(f"/apis/batch/v1/namespaces/{namespace}/jobs")
    ids = {job["metadata"]["name"]: job["metadata"]["uid"] for job in jobs if job["status"].get("succeeded") == 1}
    return {name: uid for name, uid in ids.items() if name in names}
