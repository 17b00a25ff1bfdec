"""Every workload is restricted, replaceable and of one version; what scales it can, and nothing else does."""

import re
from typing import Any

import pytest
import yaml

import catalog.__main__
import notifier.__main__
import purchases.__main__
import webhook_gateway.__main__
from contracts.topics import ALL_TOPICS
from tests.contract.deploy.generated import GROUPS, K8S
from tests.contract.deploy.rendering import OVERLAYS
from tests.contract.deploy.workloads import (
    DEPLOYMENTS,
    PROTECTED,
    WORKLOADS,
    Workload,
    named,
    objects,
    of_kind,
    selects,
)

RELEASE = yaml.safe_load((K8S / "base/release.yaml").read_text())["data"]
COMMANDS: dict[str, Any] = {
    "catalog": catalog.__main__.COMMANDS,
    "notifier": notifier.__main__.COMMANDS,
    "purchases": purchases.__main__.COMMANDS,
    "webhook_gateway": webhook_gateway.__main__.COMMANDS,
}
STOP_SECONDS = 50
"""All bounds of a stop together, the sleep among them: docs/architecture/running.md."""


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_a_pod_is_as_restricted_as_a_pod_can_be(workload: Workload) -> None:
    pod = workload.pod

    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert {"hostNetwork", "hostPID", "hostIPC"} & set(pod) == set()
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 10001)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in workload.containers:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_its_service_account_is_its_own_and_has_no_token(workload: Workload) -> None:
    account = named(workload.overlay, "ServiceAccount", workload.pod["serviceAccountName"])

    assert account["automountServiceAccountToken"] is False


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_it_is_of_the_one_version(workload: Workload) -> None:
    versions = {container["image"].rpartition(":")[2] for container in workload.containers}
    labels = {
        where["app.kubernetes.io/version"] for where in (workload.labels, workload.document["metadata"]["labels"])
    }

    assert versions == labels == {RELEASE["version"]}


def test_the_version_stands_in_one_place_and_names_the_jobs() -> None:
    assert re.sub(r"[^a-z0-9]+", "-", RELEASE["version"].lower()) == RELEASE["slug"]
    elsewhere = [
        path
        for part in ("base", "components", "overlays")
        for path in (K8S / part).rglob("*.yaml")
        if re.search(rf"(?<![\d.]){re.escape(RELEASE['version'])}(?![\d.])", path.read_text())
    ]
    assert [path.name for path in elsewhere] == ["release.yaml"]
    for workload in WORKLOADS:
        assert workload.kind != "Job" or workload.name.endswith(f"-{RELEASE['slug']}")


@pytest.mark.parametrize("workload", [one for one in WORKLOADS if one.kind == "Job"], ids=str)
def test_a_job_tries_until_its_time_is_up(workload: Workload) -> None:
    """The first deployment's database comes after the Job: one that has used up its tries would be failed for a day."""
    spec = workload.document["spec"]
    pauses = [min(10 * 2**failed, 360) for failed in range(spec["backoffLimit"])]

    assert sum(pauses) > spec["activeDeadlineSeconds"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_readme_deletes_every_job_before_it_applies_them_anew(overlay: str) -> None:
    """A changed setting changes a Job's template by the ConfigMap's name, and that is an immutable field."""
    text = (K8S / "README.md").read_text()
    [(key, values)] = re.findall(r"delete job -l '(\S+) in \(([a-z,]+)\)'", text)
    steps = [text.index(step) for step in ("delete job -l", "kubectl apply --server-side -k deploy/k8s/overlays/")]
    jobs = [one["metadata"] for one in of_kind(overlay, "Job")]

    assert jobs
    assert {one["name"] for one in jobs if one["labels"].get(key) not in values.split(",")} == set()
    assert steps == sorted(steps)


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_its_commands_exist(workload: Workload) -> None:
    for container in workload.containers:
        module, *words = container["args"]
        if module == "chassis.kafka.make_topics":
            continue
        command = words[0] if words else "serve"
        assert command in COMMANDS[module], container["args"]


@pytest.mark.parametrize("workload", DEPLOYMENTS, ids=str)
def test_it_waits_for_schema_and_topics_before_it_starts_with_what_the_process_reads(workload: Workload) -> None:
    """The doctor of the same process, in the same image with the same settings: so migrations come first."""
    [doctor] = workload.pod["initContainers"]
    process = workload.process
    service, *kind = process["args"]

    assert doctor["args"] == [service, "doctor", *kind, "--wait"]
    assert all(doctor.get(part) == process.get(part) for part in ("image", "envFrom", "env", "volumeMounts"))


@pytest.mark.parametrize("workload", DEPLOYMENTS, ids=str)
def test_it_is_probed_on_its_operations_port_and_stops_in_time(workload: Workload) -> None:
    process = workload.process
    probes = {name: process[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}

    assert probes["startup"] == probes["liveness"] == {"path": "/livez", "port": "ops"}
    assert probes["readiness"] == {"path": "/readyz", "port": "ops"}
    assert process["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5
    assert workload.pod["terminationGracePeriodSeconds"] > STOP_SECONDS


@pytest.mark.parametrize("workload", DEPLOYMENTS, ids=str)
def test_one_pod_of_it_may_go_at_a_time_and_they_stand_apart(workload: Workload) -> None:
    budgets = [
        one["spec"]
        for one in of_kind(workload.overlay, "PodDisruptionBudget")
        if selects(one["spec"]["selector"], workload.labels)
    ]
    spread = {one["topologyKey"] for one in workload.pod["topologySpreadConstraints"]}

    assert [(one["maxUnavailable"], one["unhealthyPodEvictionPolicy"]) for one in budgets] == [(1, "AlwaysAllow")]
    assert spread == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    for constraint in workload.pod["topologySpreadConstraints"]:
        assert selects(constraint["labelSelector"], workload.labels)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_hpas_scale_apis_and_the_gateway_alone(overlay: str) -> None:
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in of_kind(overlay, "HorizontalPodAutoscaler")}

    assert scaled == {one.name for one in DEPLOYMENTS if one.overlay == overlay and one.component in ("api", "gateway")}


@pytest.mark.parametrize("overlay", PROTECTED)
def test_keda_scales_workers_alone_and_never_past_the_partitions_they_share(overlay: str) -> None:
    scalers = {one["spec"]["scaleTargetRef"]["name"]: one["spec"] for one in of_kind(overlay, "ScaledObject")}
    partitions = {topic.name: topic.partitions for topic in ALL_TOPICS}

    assert set(scalers) == {one.name for one in DEPLOYMENTS if one.overlay == overlay and one.component == "worker"}
    for name, scaler in scalers.items():
        metadata = [trigger["metadata"] for trigger in scaler["triggers"]]
        assert {one["consumerGroup"] for one in metadata} == {GROUPS[name]}
        assert scaler["maxReplicaCount"] <= min(partitions[one["topic"]] for one in metadata)
        assert scaler["minReplicaCount"] <= scaler["fallback"]["replicas"] <= scaler["maxReplicaCount"]


@pytest.mark.parametrize("workload", DEPLOYMENTS, ids=str)
def test_what_is_scaled_says_no_number_of_its_own(workload: Workload) -> None:
    """Else each apply would put the number back; a relay has a leader and one that stands by."""
    kinds = ("HorizontalPodAutoscaler", "ScaledObject")
    scaled = {one["spec"]["scaleTargetRef"]["name"] for kind in kinds for one in of_kind(workload.overlay, kind)}

    assert (workload.name in scaled) is ("replicas" not in workload.document["spec"])
    assert workload.component != "relay" or workload.document["spec"]["replicas"] in (1, 2)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_namespace_refuses_what_is_not_restricted(overlay: str) -> None:
    [namespace] = of_kind(overlay, "Namespace")

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {one["metadata"].get("namespace") for one in objects(overlay)} - {None} == {namespace["metadata"]["name"]}


@pytest.mark.parametrize("overlay", PROTECTED)
def test_a_pod_that_only_waits_is_no_target_and_so_not_down(overlay: str) -> None:
    """While its init container runs, a migration say, its phase is Pending."""
    [endpoint] = named(overlay, "PodMonitor", "quittance")["spec"]["podMetricsEndpoints"]

    keep = {"sourceLabels": ["__meta_kubernetes_pod_phase"], "action": "keep", "regex": "Running"}
    assert keep in endpoint["relabelings"]
