"""What the API server refuses in a namespace of ours, and why."""

import copy
from collections.abc import AsyncIterator

import pytest

from tests.cluster.api.cluster import Cluster
from tests.cluster.bad_manifests import BAD, GOOD, OWNED
from tests.cluster.manifests import define_custom_kinds, dumped, is_custom, kind_of
from tests.cluster.placing import Overlay, forget
from tests.cluster.report import REPORT

NAMESPACE = "quittance-refusals"
LABELS = {"pod-security.kubernetes.io/enforce": "restricted", "app.kubernetes.io/part-of": "quittance"}


@pytest.fixture(scope="module")
async def free_kinds(cluster: Cluster, overlays: dict[str, Overlay]) -> AsyncIterator[set[str]]:
    """The custom kinds that no schema is here for, once a namespace like the overlays' is there."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": LABELS}}
    await cluster.apply(dumped([namespace]))
    placed = [manifest | {"metadata": manifest["metadata"] | {"namespace": NAMESPACE}} for manifest in GOOD.values()]
    REPORT.not_held_to_a_schema |= await define_custom_kinds(cluster, placed)
    REPORT.custom_kinds |= {kind_of(found) for found in placed if is_custom(found)}
    yield REPORT.not_held_to_a_schema
    await forget(cluster, NAMESPACE)


@pytest.mark.parametrize("kind", GOOD)
async def test_the_good_manifest_is_accepted(cluster: Cluster, free_kinds: set[str], kind: str) -> None:
    """Else what follows would show nothing."""
    await cluster.apply(dumped([GOOD[kind]]), "--dry-run=server", "-n", NAMESPACE)


@pytest.mark.parametrize("kind", OWNED)
async def test_what_strimzi_made_is_accepted_and_only_since_strimzi_made_it(
    cluster: Cluster, free_kinds: set[str], kind: str
) -> None:
    """Else its operator could not make Kafka here: its references to the owner say `controller: false`."""
    words = ("apply", "--server-side", "--dry-run=server", "-n", NAMESPACE, "-f", "-")
    ours = copy.deepcopy(OWNED[kind])
    del ours["metadata"]["ownerReferences"]

    accepted = await cluster.kubectl(*words, stdin=dumped([OWNED[kind]]))
    refused = await cluster.kubectl(*words, stdin=dumped([ours]))

    assert accepted.code == 0, accepted.error
    assert refused.code != 0
    assert "ValidatingAdmissionPolicy 'quittance-" in refused.error


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_manifest_is_refused_with_its_reason(cluster: Cluster, free_kinds: set[str], name: str) -> None:
    bad = BAD[name]
    words = ("apply", "--server-side", "--validate=strict", "--dry-run=server", "-n", NAMESPACE, "-f", "-")

    done = await cluster.kubectl(*words, stdin=dumped([bad.manifest]))

    if bad.needs_schema and any(kind.startswith(f"{bad.kind}.") for kind in free_kinds):
        assert done.code == 0, "without a schema nothing can be wrong with a custom resource; the summary says so"
        return
    assert done.code != 0
    assert bad.reason in done.error
    REPORT.refused.append(name)


async def test_a_relay_is_not_scaled_by_hand_either(cluster: Cluster, overlays: dict[str, Overlay]) -> None:
    """`kubectl scale` writes to a subresource, and no Deployment."""
    overlay = overlays["production"]
    relay = next(
        found["metadata"]["name"]
        for found in overlay.of_kind("Deployment")
        if found["metadata"]["labels"]["app.kubernetes.io/component"] == "relay"
    )

    done = await cluster.kubectl("scale", "-n", overlay.namespace, f"deployment/{relay}", "--replicas=3")

    assert done.code != 0
    assert "no more than 2 replicas" in done.error
    REPORT.refused.append("a relay scaled to 3")


async def test_no_expression_of_a_policy_can_miss_its_type(cluster: Cluster, free_kinds: set[str]) -> None:
    """The API server checks each against the schemas of what it is to match, and says what it found."""
    found = await cluster.items("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies")
    ours = [policy for policy in found if policy["metadata"]["name"].startswith("quittance-")]

    warnings = {policy["metadata"]["name"]: policy["status"].get("typeChecking", {}) for policy in ours}

    assert len(ours) >= 4
    assert {name: checked for name, checked in warnings.items() if checked.get("expressionWarnings")} == {}
