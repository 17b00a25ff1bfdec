"""At their most, the pods of a service open no more connections than PostgreSQL and the pooler let them."""

import inspect
from typing import Final

import pytest

from chassis.database.database import Database
from tests.contract.deploy.workloads import PROTECTED, WORKLOADS, Workload, named, of_kind

POOL: Final = int(inspect.signature(Database.__init__).parameters["pool_size"].default)
OF_THEIR_OWN: Final = 2
"""Connections beside the pool: for LISTEN, and for the lock of the relay that leads."""
RESERVED: Final = 20
"""For superusers, standbys and the operator."""


def most_pods(workload: Workload) -> int:
    """Return how many there can be at once, with those of a rollout."""
    if workload.kind != "Deployment":
        return 1
    spec = workload.document["spec"]
    scaled = [
        one["spec"].get("maxReplicas", one["spec"].get("maxReplicaCount"))
        for kind in ("HorizontalPodAutoscaler", "ScaledObject")
        for one in of_kind(workload.overlay, kind)
        if one["spec"]["scaleTargetRef"]["name"] == workload.name
    ]
    [replicas] = scaled or [spec["replicas"]]
    return int(replicas) + int(spec["strategy"]["rollingUpdate"]["maxSurge"])


def most_connections(overlay: str, role: str) -> int:
    pods = [
        most_pods(one)
        for one in WORKLOADS
        if one.overlay == overlay and one.secret_settings().get("DATABASE_URL") == f"{role}-database"
    ]
    return sum(pods) * (POOL + OF_THEIR_OWN)


@pytest.mark.parametrize("overlay", PROTECTED)
def test_each_role_may_open_what_its_service_can(overlay: str) -> None:
    roles = named(overlay, "Cluster", "postgres")["spec"]["managed"]["roles"]
    wanted = {role["name"]: most_connections(overlay, role["name"]) for role in roles}

    assert all(wanted.values())
    assert {name: most for name, most in wanted.items() if most > _limit(overlay, name)} == {}


@pytest.mark.parametrize("overlay", PROTECTED)
def test_the_server_and_the_pooler_take_all_roles_together(overlay: str) -> None:
    cluster = named(overlay, "Cluster", "postgres")["spec"]
    limits = [role["connectionLimit"] for role in cluster["managed"]["roles"]]
    pooler = named(overlay, "Pooler", "postgres-pooler")["spec"]["pgbouncer"]["parameters"]

    assert sum(limits) + RESERVED <= int(cluster["postgresql"]["parameters"]["max_connections"])
    assert max(limits) <= int(pooler["default_pool_size"])
    assert sum(limits) <= int(pooler["max_client_conn"])


def _limit(overlay: str, role: str) -> int:
    roles = named(overlay, "Cluster", "postgres")["spec"]["managed"]["roles"]
    return int(next(one["connectionLimit"] for one in roles if one["name"] == role))
