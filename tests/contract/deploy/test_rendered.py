"""What is committed of deploy/k8s is what its sources make: without kustomize by a digest, with it by the objects."""

from pathlib import Path

import pytest

from tests.contract.deploy import generated, rendering
from tests.contract.deploy.rendering import OVERLAYS, digest, digest_in, documents, file_of

REMEDY = "`make docs` (with kubectl or kustomize) makes it anew"


@pytest.mark.parametrize("path", generated.FILES, ids=lambda path: path.name)
def test_a_manifest_made_from_the_code_is_current(path: Path) -> None:
    assert path.read_text() == generated.FILES[path](), REMEDY


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_was_rendered_from_what_its_sources_are_now(overlay: str) -> None:
    assert digest_in(file_of(overlay).read_text()) == digest(), REMEDY


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_rendered_as_kustomize_puts_it_together(overlay: str) -> None:
    """Where it is installed; `make cluster` brings it, and renders for itself what it gives to the API server."""
    command = rendering.kustomize()
    text = file_of(overlay).read_text()

    assert documents(rendering.build(command, overlay) if command else text) == documents(text), REMEDY
