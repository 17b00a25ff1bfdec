"""Kafka in production is as the contracts and the processes' own lists say: topics, and who may do what with them."""

from collections.abc import Mapping
from typing import Final

import pytest

from contracts.topics import ALL_TOPICS
from tests.contract.deploy.generated import GROUPS
from tests.contract.deploy.workloads import PROTECTED, WORKLOADS, Workload, named, of_kind
from tests.contract.docs.tables import USED

USES_KAFKA: Final = [one for one in WORKLOADS if one.overlay in PROTECTED and one.name in USED]
READ: Final = frozenset({"Read", "Describe"})
WRITE: Final = frozenset({"Write", "Describe"})


@pytest.mark.parametrize("overlay", PROTECTED)
def test_every_topic_is_declared_as_the_contracts_say_and_no_other_is(overlay: str) -> None:
    declared = {one["metadata"]["name"]: one["spec"] for one in of_kind(overlay, "KafkaTopic")}

    assert set(declared) == {topic.name for topic in ALL_TOPICS}
    for topic in ALL_TOPICS:
        spec = declared[topic.name]
        assert (spec["partitions"], spec["replicas"]) == (topic.partitions, 3)
        assert {key: str(value) for key, value in spec["config"].items()} == {
            "cleanup.policy": topic.cleanup_policy,
            "retention.ms": str(topic.retention_ms),
            "min.insync.replicas": "2",
        }


@pytest.mark.parametrize("overlay", PROTECTED)
def test_strimzi_makes_the_topics_and_no_job_beside_it(overlay: str) -> None:
    assert [one["metadata"]["name"] for one in of_kind(overlay, "Job") if "topics" in one["metadata"]["name"]] == []
    [kafka] = of_kind(overlay, "Kafka")
    assert kafka["spec"]["kafka"]["config"]["auto.create.topics.enable"] is False
    assert kafka["spec"]["kafka"]["authorization"] == {"type": "simple"}


def test_elsewhere_a_job_makes_them() -> None:
    [job] = [one for one in of_kind("local", "Job") if one["metadata"]["name"].startswith("topics-")]

    assert "chassis.kafka.make_topics" in job["spec"]["template"]["spec"]["containers"][0]["args"]


@pytest.mark.parametrize("workload", USES_KAFKA, ids=str)
def test_a_process_may_do_with_kafka_what_its_own_list_says_and_nothing_else(workload: Workload) -> None:
    """Where the process is given RELAY=apart it writes nothing: its relay does."""
    used = USED[workload.name].with_relay("apart" if workload.environment().get("RELAY") == "apart" else "inside")
    rights = rights_of(workload.overlay, workload.name)
    group = GROUPS.get(workload.name)

    assert rights == {
        **{("topic", topic): WRITE for topic in used.writes},
        **{("topic", topic): READ for topic in used.all_read | used.reads_back},
        **{("topic", topic): READ | WRITE for topic in used.writes & (used.all_read | used.reads_back)},
        **({("group", group): READ} if group else {}),
    }
    assert bool(used.reads) is bool(group)


@pytest.mark.parametrize("workload", USES_KAFKA, ids=str)
def test_a_process_signs_in_as_itself(workload: Workload) -> None:
    user = named(workload.overlay, "KafkaUser", workload.name)
    files = {path: (secret, key) for secret, key, path in workload.secrets()}
    values = workload.environment()

    assert user["spec"]["authentication"]["type"] == "tls"
    assert values["KAFKA_SECURITY_PROTOCOL"] == "SSL"
    assert files[values["KAFKA_SECURITY_CERTFILE"]] == (workload.name, "user.crt")
    assert files[values["KAFKA_SECURITY_KEYFILE"]] == (workload.name, "user.key")
    assert files[values["KAFKA_SECURITY_CAFILE"]] == ("quittance-cluster-ca-cert", "ca.crt")


@pytest.mark.parametrize("overlay", PROTECTED)
def test_no_user_is_without_a_process_and_keda_reads_nothing(overlay: str) -> None:
    users = {one["metadata"]["name"] for one in of_kind(overlay, "KafkaUser")}

    assert users == {one.name for one in USES_KAFKA if one.overlay == overlay} | {"keda"}
    assert set(rights_of(overlay, "keda").values()) == {frozenset({"Describe"})}
    for scaler in of_kind(overlay, "ScaledObject"):
        for trigger in scaler["spec"]["triggers"]:
            asked = {("topic", trigger["metadata"]["topic"]), ("group", trigger["metadata"]["consumerGroup"])}
            assert asked <= set(rights_of(overlay, "keda"))


@pytest.mark.parametrize("overlay", PROTECTED)
def test_lag_is_asked_for_every_topic_that_a_worker_reads_from_the_outside(overlay: str) -> None:
    """A catalog that is behind by an edit of staff's needs no more pods: the internal topics of state are left out."""
    scalers = {one["metadata"]["name"]: one["spec"]["triggers"] for one in of_kind(overlay, "ScaledObject")}
    asked = {name: {trigger["metadata"]["topic"] for trigger in triggers} for name, triggers in scalers.items()}

    assert asked["notifier"] == set(USED["notifier"].reads)
    assert {topic for topic in USED["purchases-worker"].reads if not topic.endswith(".state.v1")} == asked[
        "purchases-worker"
    ]


@pytest.mark.parametrize("overlay", PROTECTED)
def test_keda_finds_kafka_from_a_namespace_of_its_own(overlay: str) -> None:
    """A name without a namespace is looked up in KEDA's, and KEDA would stay at its fallback for ever."""
    [namespace] = [one["metadata"]["name"] for one in of_kind(overlay, "Namespace")]
    [kafka] = of_kind(overlay, "Kafka")
    [port] = [one["port"] for one in kafka["spec"]["kafka"]["listeners"] if one["name"] == "scram"]

    triggers = [trigger for one in of_kind(overlay, "ScaledObject") for trigger in one["spec"]["triggers"]]

    address = f"{kafka['metadata']['name']}-kafka-bootstrap.{namespace}.svc:{port}"
    assert {trigger["metadata"]["bootstrapServers"] for trigger in triggers} == {address}


def rights_of(overlay: str, user: str) -> Mapping[tuple[str, str], frozenset[str]]:
    acls = named(overlay, "KafkaUser", user)["spec"]["authorization"]["acls"]
    assert all(acl["resource"]["patternType"] == "literal" and acl.get("host", "*") == "*" for acl in acls)
    return {(acl["resource"]["type"], acl["resource"]["name"]): frozenset(acl["operations"]) for acl in acls}
