"""The rendered overlays as tests ask them: workloads with their pods, what these are given, what else is there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.contract.deploy.rendering import OVERLAYS, documents, file_of

Json = dict[str, Any]
PROTECTED: Final = ("production", "staging")
"""The overlays that run with every component."""


@dataclass(frozen=True)
class Workload:
    """A Deployment, Job or CronJob of one overlay."""

    overlay: str
    document: Json

    def __str__(self) -> str:
        return f"{self.overlay}-{self.name}"

    @property
    def kind(self) -> str:
        return str(self.document["kind"])

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    @property
    def template(self) -> Json:
        spec: Json = self.document["spec"]
        found: Json = (spec["jobTemplate"]["spec"] if self.kind == "CronJob" else spec)["template"]
        return found

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.template["metadata"]["labels"])

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    @property
    def pod(self) -> Json:
        found: Json = self.template["spec"]
        return found

    @property
    def containers(self) -> list[Json]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def process(self) -> Json:
        [container] = self.pod["containers"]
        return dict(container)

    @property
    def service(self) -> str:
        """The name of the image, without its registry and version."""
        return str(self.process["image"]).rsplit("/", 1)[-1].partition(":")[0]

    def environment(self) -> dict[str, str]:
        """Return the variables of the process, those of its ConfigMaps among them."""
        values: dict[str, str] = {}
        for source in self.process.get("envFrom", []):
            values |= named(self.overlay, "ConfigMap", source["configMapRef"]["name"]).get("data") or {}
        return values | {one["name"]: one["value"] for one in self.process.get("env", [])}

    def secrets(self) -> Iterator[tuple[str, str, str]]:
        """Yield each mounted key of a Secret: the Secret, the key, the file that it is in the process."""
        mounts = {mount["name"]: mount["mountPath"] for mount in self.process["volumeMounts"]}
        for volume in self.pod["volumes"]:
            direct = {"name": volume["secret"]["secretName"], **volume["secret"]} if "secret" in volume else None
            sources = [one["secret"] for one in volume.get("projected", {}).get("sources", [])]
            for secret in [*sources, *([direct] if direct else [])]:
                for item in secret["items"]:
                    yield secret["name"], item["key"], f"{mounts[volume['name']]}/{item['path']}"

    def secret_settings(self) -> dict[str, str]:
        """Return the settings that are files in /run/secrets, and the Secret of each."""
        files = [(path, secret) for secret, _, path in self.secrets() if path.startswith("/run/secrets/")]
        return {path.rpartition("/")[2]: secret for path, secret in files}


@cache
def objects(overlay: str) -> tuple[Json, ...]:
    """Return what an overlay consists of."""
    return tuple(documents(file_of(overlay).read_text()))


def of_kind(overlay: str, kind: str) -> list[Json]:
    return [one for one in objects(overlay) if one["kind"] == kind]


def named(overlay: str, kind: str, name: str) -> Json:
    """Return the one object of that kind and name. Raises ValueError where there is none."""
    [found] = [one for one in of_kind(overlay, kind) if one["metadata"]["name"] == name]
    return found


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether a pod with `labels` is selected; by labels alone, since nothing of ours uses more."""
    assert set(selector) <= {"matchLabels"}, selector
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


WORKLOADS: Final = [
    Workload(overlay, one)
    for overlay in OVERLAYS
    for kind in ("CronJob", "Deployment", "Job")
    for one in of_kind(overlay, kind)
]
DEPLOYMENTS: Final = [workload for workload in WORKLOADS if workload.kind == "Deployment"]
