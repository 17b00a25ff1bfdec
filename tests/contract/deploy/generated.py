"""Manifests that are made from the code: Kafka's topics, its users with what each may do, and the alert rules."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

import catalog.consumer
import notifier.consumer
import purchases.batch.context
from chassis.kafka.broker_check import TopicsUsed
from chassis.kafka.topic_plan import Durability, wanted_configs
from contracts.topics import ALL_TOPICS
from tests.contract.docs.tables import USED

ROOT: Final = Path(__file__).parents[3]
K8S: Final = ROOT / "deploy/k8s"
RULES: Final = ROOT / "deploy/observability/rules"
DASHBOARDS: Final = ROOT / "deploy/observability/dashboards"
MADE: Final = "# Made by `make docs`; changes here are lost.\n"
CLUSTER: Final = {"strimzi.io/cluster": "quittance"}
PRODUCTION: Final = Durability(replication=3, min_insync=2)
GROUPS: Final[Mapping[str, str]] = {
    "catalog": catalog.consumer.GROUP,
    "purchases-worker": purchases.batch.context.CONSUMER,
    "notifier": notifier.consumer.GROUP,
}
"""The consumer group of each process that has one."""
SCHEDULED: Final = frozenset({"webhook-gateway-backfill", "webhook-gateway-backfill-wide"})
"""CronJobs that use Kafka."""
RELAYED: Final = frozenset({"catalog", "purchases-worker"})
"""Whose facts a relay of its own sends, since RELAY is `apart` here: they write nothing themselves."""

Json = dict[str, Any]


def topics() -> str:
    """Return a KafkaTopic for each topic of the contracts."""
    return _documents(
        {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaTopic",
            "metadata": {"name": topic.name, "labels": CLUSTER},
            "spec": {
                "partitions": topic.partitions,
                "replicas": PRODUCTION.replication,
                "config": {**wanted_configs(topic, PRODUCTION), "retention.ms": topic.retention_ms},
            },
        }
        for topic in ALL_TOPICS
    )


def users() -> str:
    """Return a KafkaUser for each process, with what it uses of Kafka and nothing else; and KEDA's."""
    ours = [_user(name, "tls", _rights(name, used)) for name, used in USED.items()]
    lag = [
        *(_right("topic", topic, "Describe") for name in GROUPS for topic in USED[name].reads),
        *(_right("group", group, "Describe") for group in GROUPS.values()),
    ]
    return _documents([*ours, _user("keda", "scram-sha-512", lag)])


def clients() -> str:
    """Return the patches that mount into each process the certificate of its own user of Kafka."""
    return _documents(_client(name) for name in USED)


def rules() -> str:
    """Return the alert rules as PrometheusRules, one for each file of them."""
    return _documents(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": f"quittance-{path.stem}"},
            "spec": {"groups": yaml.safe_load(path.read_text())["groups"]},
        }
        for path in sorted(RULES.glob("*.yaml"))
    )


def dashboards() -> str:
    """Return the component that brings each dashboard as a ConfigMap, where Grafana's sidecar looks for them."""
    options = {"disableNameSuffixHash": True, "labels": {"grafana_dashboard": "1"}}
    maps = [
        {"name": f"dashboard-{path.stem}", "files": [path.name], "options": options}
        for path in sorted(DASHBOARDS.glob("*.json"))
    ]
    head = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    return _documents([{**head, "configMapGenerator": maps}])


FILES: Final[Mapping[Path, Callable[[], str]]] = {
    K8S / "components/strimzi/topics.yaml": topics,
    K8S / "components/strimzi/users.yaml": users,
    K8S / "components/strimzi/clients.yaml": clients,
    K8S / "components/monitoring/rules.yaml": rules,
    DASHBOARDS / "kustomization.yaml": dashboards,
}


def write() -> list[Path]:
    """Make each file anew, and return those that changed."""
    changed = [path for path, make in FILES.items() if not path.exists() or path.read_text() != make()]
    for path in changed:
        path.write_text(FILES[path]())
    return changed


def _rights(name: str, used: TopicsUsed) -> list[Json]:
    group = GROUPS.get(name)
    return [
        *(_right("topic", topic, *operations) for topic, operations in _by_topic(name, used)),
        *([_right("group", group, "Read", "Describe")] if group else []),
    ]


def _by_topic(name: str, used: TopicsUsed) -> Iterator[tuple[str, list[str]]]:
    """Return what a process may do with each topic: what it reads first, then what it only writes."""
    read, written = used.all_read | used.reads_back, used.writes if name not in RELAYED else frozenset()
    for topic in (*sorted(read), *sorted(written - read)):
        yield topic, ["Read"] * (topic in read) + ["Write"] * (topic in written) + ["Describe"]


def _right(kind: str, name: str, *operations: str) -> Json:
    return {"resource": {"type": kind, "name": name, "patternType": "literal"}, "operations": list(operations)}


def _user(name: str, authentication: str, rights: list[Json]) -> Json:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": name, "labels": CLUSTER},
        "spec": {"authentication": {"type": authentication}, "authorization": {"type": "simple", "acls": rights}},
    }


def _client(name: str) -> Json:
    sources = [_files(name, "user.crt", "user.key"), _files("quittance-cluster-ca-cert", "ca.crt")]
    mounts = [{"name": "kafka", "mountPath": "/run/kafka", "readOnly": True}]
    spec = {
        "containers": [{"name": "process", "volumeMounts": mounts}],
        "volumes": [{"name": "kafka", "projected": {"defaultMode": 0o440, "sources": sources}}],
    }
    if name in SCHEDULED:
        cronjob = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}}
        return {**cronjob, "spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}
    spec = {"initContainers": [{"name": "doctor", "volumeMounts": mounts}], **spec}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}}
    return {**deployment, "spec": {"template": {"spec": spec}}}


def _files(secret: str, *keys: str) -> Json:
    return {"secret": {"name": secret, "items": [{"key": key, "path": key} for key in keys]}}


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, _: object) -> bool:
        return True


def _documents(documents: Iterable[Json]) -> str:
    texts = [yaml.dump(one, Dumper=_Plain, sort_keys=False, width=120, allow_unicode=True) for one in documents]
    return MADE + "---\n".join(texts)
