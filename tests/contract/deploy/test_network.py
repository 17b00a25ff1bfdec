"""Nothing goes in or out but by a policy that names the port; every port of ours is in one, and each is somebody's.

Only an enforcing network plugin can show that a connection is refused: here the policies are held to the pods.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.contract.deploy.rendering import OVERLAYS
from tests.contract.deploy.workloads import DEPLOYMENTS, PROTECTED, WORKLOADS, Workload, of_kind, selects
from tests.contract.docs.tables import USED

Json = dict[str, Any]
OPERATORS: Final[dict[str, set[int]]] = {
    "kafka-pods": {8443, 9090, 9091, 9093, 9094, 9404, 443, 6443},
    "postgres-pods": {5432, 8000, 9187, 443, 6443},
    "pooler-pods": {5432, 9127, 443, 6443},
}
"""What the pods of Strimzi, CloudNativePG and PgBouncer listen on or ask for, by the policy that is about them."""


def policies(overlay: str) -> dict[str, Json]:
    return {one["metadata"]["name"]: one["spec"] for one in of_kind(overlay, "NetworkPolicy")}


def ports(workload: Workload, direction: str) -> set[int | str]:
    """Return the ports that the policies open for the pods of a workload."""
    return {
        port["port"]
        for spec in policies(workload.overlay).values()
        if selects(spec["podSelector"], workload.labels)
        for rule in spec.get(direction, [])
        for port in rule["ports"]
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_no_policy_names_is_refused_both_ways(overlay: str) -> None:
    default = policies(overlay)["default-deny"]

    assert default == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_rule_names_its_ports_and_every_way_in_says_from_whom(overlay: str) -> None:
    for name, spec in policies(overlay).items():
        for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
            assert rule.get("ports"), name
        assert all(rule.get("from") for rule in spec.get("ingress", [])), name


@pytest.mark.parametrize("workload", DEPLOYMENTS, ids=str)
def test_every_port_of_a_process_is_open_to_who_asks_for_it_and_no_other_is(workload: Workload) -> None:
    listens = {port["name"]: port["containerPort"] for port in workload.process["ports"]}

    assert ports(workload, "ingress") == set(listens)
    assert listens["ops"] == int(workload.environment()["OPS_PORT"])
    assert "http" not in listens or listens["http"] == int(workload.environment()["HTTP_PORT"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_policy_is_about_pods_that_are_there(overlay: str) -> None:
    ours = [one.labels for one in WORKLOADS if one.overlay == overlay]
    empty = {
        name for name, spec in policies(overlay).items() if not any(selects(spec["podSelector"], one) for one in ours)
    }

    assert empty == (set(OPERATORS) if overlay in PROTECTED else set())
    for name in empty:
        spec = policies(overlay)[name]
        named = {port["port"] for rule in (*spec["ingress"], *spec["egress"]) for port in rule["ports"]}
        assert named <= OPERATORS[name]


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_a_pod_may_go_out_to_what_its_process_uses_and_to_nothing_else(workload: Workload) -> None:
    secrets, values = workload.secret_settings(), workload.environment()
    kafka = workload.name in USED or workload.component == "topics"
    stripe_or_issuer = "STRIPE_SECRET_KEY" in secrets or "JWKS_URL" in values

    assert workload.labels.get("quittance/postgres") == ("true" if "DATABASE_URL" in secrets else None)
    assert workload.labels.get("quittance/kafka") == ("true" if kafka else None)
    assert workload.labels.get("quittance/https") == ("true" if stripe_or_issuer else None)
    assert workload.labels.get("quittance/smtp") == ("true" if "SMTP_URL" in secrets else None)
    assert 53 in ports(workload, "egress")


@pytest.mark.parametrize("workload", [one for one in WORKLOADS if one.name in USED], ids=str)
def test_kafkas_port_is_one_that_the_policy_opens(workload: Workload) -> None:
    servers = workload.environment()["KAFKA_BOOTSTRAP_SERVERS"].split(",")

    assert {int(server.rpartition(":")[2]) for server in servers} <= ports(workload, "egress")


@pytest.mark.parametrize("overlay", PROTECTED)
def test_kafkas_listeners_let_in_whom_our_policy_does(overlay: str) -> None:
    """Strimzi writes a policy of its own, and policies add to each other: without peers it lets everybody in."""
    [kafka] = of_kind(overlay, "Kafka")
    allowed = {rule["ports"][0]["port"]: rule["from"] for rule in policies(overlay)["kafka-pods"]["ingress"]}
    listeners = kafka["spec"]["kafka"]["listeners"]

    assert listeners
    assert {one["port"]: one.get("networkPolicyPeers") for one in listeners} == {
        one["port"]: allowed[one["port"]] for one in listeners
    }


@pytest.mark.parametrize("overlay", PROTECTED)
def test_databases_are_reached_by_the_pooler_alone(overlay: str) -> None:
    [rule] = policies(overlay)["postgres"]["egress"]
    [pooler] = of_kind(overlay, "Pooler")
    urls = [
        text
        for one in of_kind(overlay, "ExternalSecret")
        for text in one["spec"]["target"].get("template", {}).get("data", {}).values()
        if text.startswith("postgresql://")
    ]

    assert rule["to"] == [{"podSelector": {"matchLabels": {"cnpg.io/poolerName": pooler["metadata"]["name"]}}}]
    assert pooler["spec"]["pgbouncer"]["poolMode"] == "session"
    assert {url.rpartition("@")[2].partition("/")[0] for url in urls} == {f"{pooler['metadata']['name']}:5432"}
    assert len(urls) == len(of_kind(overlay, "Database"))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_stripe_is_reached_in_the_internet_alone(overlay: str) -> None:
    [rule] = policies(overlay)["https"]["egress"]
    blocks = {peer["ipBlock"]["cidr"]: set(peer["ipBlock"]["except"]) for peer in rule["to"]}

    assert set(blocks) == {"0.0.0.0/0", "::/0"}
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= blocks["0.0.0.0/0"]
    assert {"fc00::/7", "fe80::/10"} <= blocks["::/0"]
    assert [port["port"] for port in rule["ports"]] == [443]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_service_leads_to_the_pods_of_its_name(overlay: str) -> None:
    for service in of_kind(overlay, "Service"):
        [pods] = [one for one in _of(overlay) if selects({"matchLabels": service["spec"]["selector"]}, one.labels)]
        [port] = service["spec"]["ports"]
        assert (pods.name, port["targetPort"]) == (service["metadata"]["name"], "http")


def _of(overlay: str) -> Iterator[Workload]:
    yield from (one for one in DEPLOYMENTS if one.overlay == overlay)
