"""What a kubelet makes of a pod's words before it starts a process: environment, files of volumes, command line."""

import base64
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.cluster.api.cluster import Cluster, Object

DOCKERFILE: Final = Path(__file__).parents[3] / "deploy" / "docker" / "Dockerfile"
SECRETS_AT: Final = "/run/secrets"
_VARIABLE: Final = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


class Unresolved(RuntimeError):  # noqa: N818 - named for what it says
    """The pod names a ConfigMap, Secret or key that is not there, or something that this stand-in cannot do."""


@dataclass(frozen=True, slots=True)
class Started:
    """What is needed to start a container as a process here."""

    command: list[str]
    environment: dict[str, str]


async def resolve(cluster: Cluster, pod: Object, container: Object, *, root: Path, address: str) -> Started:
    """Write the container's files below `root` and return how to start it. Raises Unresolved."""
    mounts = await _mounts(cluster, pod, container, root)
    environment = await _environment(cluster, pod, container, address)
    words = [*container.get("command", entrypoint()), *container.get("args", [])]
    here = {name: _moved(value, mounts) for name, value in environment.items()}
    if SECRETS_AT in mounts:
        here.setdefault("SECRETS_DIR", str(mounts[SECRETS_AT]))
    if "/tmp" in mounts:
        here["TMPDIR"] = str(mounts["/tmp"])
    command = [_moved(_expanded(word, environment), mounts) for word in words]
    return Started(command=_python(command), environment=here)


def entrypoint() -> list[str]:
    """Return the words that our images begin with, from the Dockerfile that makes them."""
    found = re.findall(r"^ENTRYPOINT (\[.*\])$", DOCKERFILE.read_text(), re.MULTILINE)
    words: list[str] = json.loads(found[-1])
    return words


def _python(command: list[str]) -> list[str]:
    """Take this virtual environment's Python for the image's."""
    if Path(command[0]).name.startswith("python"):
        return [sys.executable, *command[1:]]
    raise Unresolved(f"only our own programs can be started here, not {command}")


async def _environment(cluster: Cluster, pod: Object, container: Object, address: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        prefix = source.get("prefix", "")
        data = await _data(cluster, pod, source)
        found |= {prefix + name: value.decode() for name, value in data.items()}
    fields = {"metadata.name": pod["metadata"]["name"], "metadata.namespace": pod["metadata"]["namespace"]}
    fields |= {"status.podIP": address, "spec.nodeName": pod["spec"]["nodeName"]}
    for variable in container.get("env", []):
        found[variable["name"]] = await _value(cluster, pod, variable, fields, found)
    return found


async def _value(
    cluster: Cluster, pod: Object, variable: Object, fields: dict[str, str], before: dict[str, str]
) -> str:
    source = variable.get("valueFrom")
    if source is None:
        return _expanded(variable.get("value", ""), before)
    if field := source.get("fieldRef"):
        if field["fieldPath"] in fields:
            return fields[field["fieldPath"]]
        raise Unresolved(f"no field {field['fieldPath']} here")
    reference = source.get("configMapKeyRef") or source.get("secretKeyRef")
    if reference is None:
        raise Unresolved(f"no source of {variable['name']}: {source}")
    kind = "configMap" if "configMapKeyRef" in source else "secret"
    data = await _data(cluster, pod, {kind: reference})
    if reference["key"] not in data:
        raise Unresolved(f"{kind} {reference['name']} has no key {reference['key']}")
    return data[reference["key"]].decode()


async def _mounts(cluster: Cluster, pod: Object, container: Object, root: Path) -> dict[str, Path]:
    """Return where each mounted path is here. A volume is one folder for all containers of the pod."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    found = {}
    for mount in container.get("volumeMounts", []):
        folder = root / "volumes" / mount["name"]
        if not folder.exists():
            await _fill(cluster, pod, volumes[mount["name"]], folder)
        found[mount["mountPath"]] = folder / mount.get("subPath", "")
    return found


async def _fill(cluster: Cluster, pod: Object, volume: Object, folder: Path) -> None:
    content: dict[str, bytes] = {}
    sources = [] if "emptyDir" in volume else [volume]
    for source in volume.get("projected", {}).get("sources", sources):
        data = await _data(cluster, pod, source)
        body = source.get("secret") or source.get("configMap") or {}
        items = body.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            if item["key"] not in data:
                raise Unresolved(f"{body} has no key {item['key']}")
            content[item["path"]] = data[item["key"]]
    _write(folder, content)


def _write(folder: Path, content: dict[str, bytes]) -> None:
    """Make a folder that only this user can look into, once all that it is to hold is known."""
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


async def _data(cluster: Cluster, pod: Object, source: Object) -> dict[str, bytes]:
    """Return what a ConfigMap or a Secret holds, however the source names it. Raises Unresolved."""
    secret = source.get("secretRef") or source.get("secret")
    body = secret or source.get("configMapRef") or source.get("configMap")
    if body is None:
        raise Unresolved(f"no such source here: {source}")
    kind, name = "secrets" if secret else "configmaps", body.get("name") or body["secretName"]
    answer = await cluster.api.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/{kind}/{name}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        if body.get("optional"):
            return {}
        raise Unresolved(f"{kind} {name} is missing")
    found = answer.raise_for_status().json().get("data") or {}
    if secret:
        return {key: base64.b64decode(value) for key, value in found.items()}
    return {key: value.encode() for key, value in found.items()}


def _expanded(text: str, environment: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda found: environment.get(found[1], found[0]), text)


def _moved(text: str, mounts: dict[str, Path]) -> str:
    """Return a path inside the container as the path that it has here; anything else as it is."""
    for mounted, here in mounts.items():
        if text == mounted or text.startswith(f"{mounted}/"):
            return str(here) + text.removeprefix(mounted)
    return text
