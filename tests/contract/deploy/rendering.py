"""The overlays of deploy/k8s as kustomize puts them together; committed, so that a test needs no kustomize."""

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.contract.deploy.generated import K8S

RENDERED: Final = K8S / "rendered"
OVERLAYS: Final = tuple(sorted(path.parent.name for path in K8S.glob("overlays/*/kustomization.yaml")))
MADE: Final = (
    "# overlays/{name} as kustomize puts it together. Made by `make docs`; changes here are lost.\n# of {digest}\n"
)
SOURCES: Final = ("base", "components", "overlays", "../observability/dashboards")

Json = dict[str, Any]


def kustomize() -> Sequence[str] | None:
    """Return the command that builds a kustomization, None where neither kustomize nor kubectl is installed."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


def build(command: Sequence[str], overlay: str) -> str:
    """Put an overlay together. Raises RuntimeError with what kustomize says against it."""
    done = subprocess.run([*command, K8S / "overlays" / overlay], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{overlay}: {done.stderr}")
    return done.stdout


def file_of(overlay: str) -> Path:
    return RENDERED / f"{overlay}.yaml"


def digest() -> str:
    """Return a digest of all that overlays are made of: it says whether they are current where nothing can render."""
    files = sorted(path for part in SOURCES for path in (K8S / part).resolve().rglob("*") if path.is_file())
    lines = [f"{path.relative_to(K8S.parent)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def digest_in(text: str) -> str:
    """Return the digest of what `text` was rendered from."""
    return text.splitlines()[1].removeprefix("# of ")


def documents(text: str) -> list[Json]:
    """Return the objects in `text`, in the order of their kinds and names, which versions of kustomize do not share."""
    found = [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]
    return sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"]))


def write(command: Sequence[str]) -> list[Path]:
    """Render each overlay anew, and return the files that say something else now."""
    RENDERED.mkdir(exist_ok=True)
    changed = []
    for overlay in OVERLAYS:
        text, path = MADE.format(name=overlay, digest=digest()) + build(command, overlay), file_of(overlay)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            changed.append(path)
    return changed
