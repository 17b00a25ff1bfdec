"""The manifests as an operator applies them: rendered by kustomize, each overlay in a namespace of its own."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import yaml

from tests.cluster.api.cluster import Cluster, Object

ROOT: Final = Path(__file__).parents[2]
K8S: Final = ROOT / "deploy" / "k8s"
POLICIES: Final = K8S / "policies"
SCHEMAS: Final = ROOT.parent / "shared" / "crds"
OVERLAYS: Final = tuple(sorted(path.parent.name for path in K8S.glob("overlays/*/kustomization.yaml")))
_BUILT_IN: Final = frozenset(
    {
        *("", "apps", "autoscaling", "batch", "policy"),
        *("admissionregistration.k8s.io", "networking.k8s.io", "rbac.authorization.k8s.io", "scheduling.k8s.io"),
    }
)


class Manifests:
    """A copy of `deploy`, whose version a test may raise; the sources themselves are never written to."""

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        self._cluster = cluster
        self._copy = directory / "deploy" / "k8s"
        shutil.copytree(K8S.parent, self._copy.parent)

    @property
    def version(self) -> str:
        """Return the version of the images, from its one place."""
        found: str = self._release()["data"]["version"]
        return found

    def set_version(self, version: str) -> None:
        """Release another version: what the README says an operator changes."""
        release = self._release()
        release["data"] |= {"version": version, "slug": version.replace(".", "-")}
        (self._copy / "base" / "release.yaml").write_text(yaml.safe_dump(release))

    async def render(self, overlay: str, *, namespace: str) -> list[Object]:
        """Return the overlay's objects, with everything in `namespace`. Raises Refused."""
        wrapped = self._copy / f"in-{namespace}"
        wrapped.mkdir(exist_ok=True)
        inner = {"resources": [f"../overlays/{overlay}"], "namespace": namespace}
        head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        (wrapped / "kustomization.yaml").write_text(yaml.safe_dump(head | inner))
        return parsed(await self._cluster.do("kustomize", str(wrapped)))

    def _release(self) -> Any:
        return yaml.safe_load((self._copy / "base" / "release.yaml").read_text())


def parsed(text: str) -> list[Object]:
    """Return the objects of a YAML stream; with libyaml's parser, since Python's own takes seconds."""
    return [found for found in yaml.load_all(text, Loader=yaml.CSafeLoader) if found]


def dumped(objects: list[Object]) -> str:
    """Return these objects as kubectl reads them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def is_custom(found: Object) -> bool:
    """Return whether this object is of a kind that an operator of somebody else brings."""
    return found["apiVersion"].rpartition("/")[0] not in _BUILT_IN


def kind_of(found: Object) -> str:
    """Return the kind with its group, as the summary names it."""
    return f"{found['kind']}.{found['apiVersion'].split('/')[0]}"


def open_definition(found: Object) -> Object:
    """Return a definition of this object's kind that takes any fields: the kind is known, and nothing is held to it."""
    group, version = found["apiVersion"].split("/")
    kind = found["kind"]
    plural = f"{kind.lower()}s"
    scope = "Namespaced" if found["metadata"].get("namespace") else "Cluster"
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    served = {"name": version, "served": True, "storage": True, "schema": anything}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests only"},
        },
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "scope": scope,
            "versions": [served],
        },
    }


async def define_custom_kinds(cluster: Cluster, objects: list[Object]) -> set[str]:
    """Define every custom kind that the API does not serve, by its own schema where that is here.

    Return the kinds that are held to no schema. Raises Refused.
    """
    customs = {(found["apiVersion"].split("/")[0], found["kind"]): found for found in objects if is_custom(found)}
    schemas = [schema for path in sorted(SCHEMAS.glob("*.yaml")) for schema in parsed(path.read_text())]
    by_kind = {(schema["spec"]["group"], schema["spec"]["names"]["kind"]): schema for schema in schemas}
    existing = {
        (there["spec"]["group"], there["spec"]["names"]["kind"])
        for there in await cluster.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    }
    missing = customs.keys() - existing
    definitions = [by_kind.get(kind) or open_definition(customs[kind]) for kind in sorted(missing)]
    if definitions:
        await cluster.apply(dumped(definitions))
        names = [f"crd/{definition['metadata']['name']}" for definition in definitions]
        await cluster.do("wait", "--for=condition=Established", "--timeout=60s", *names)
    return {f"{kind}.{group}" for group, kind in missing - by_kind.keys()}
