"""Whatever a document points at is there."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.contract.docs.markdown import FILES, ROOT, anchors, code, links, name_of

TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
OURS = {"catalog", "chassis", "contracts", "notifier", "purchases", "sandbox", "stripe_reader", "webhook_gateway"}


def broken(path: Path) -> list[str]:
    text = path.read_text()
    found = []
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        other = (path.parent / target).resolve() if target else path
        if not other.exists() or (anchor and other.suffix == ".md" and anchor not in anchors(other.read_text())):
            found.append(link)
    return found


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_links_between_files_resolve(path: Path) -> None:
    assert broken(path) == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_make_targets_that_are_named_exist(path: Path) -> None:
    named = set(re.findall(r"\bmake ([a-z]+)\b", code(path.read_text())))

    assert named - TARGETS == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_modules_that_are_run_exist(path: Path) -> None:
    named = set(re.findall(r"python -m ([a-z_.]+)", code(path.read_text())))
    ours = {module for module in named if module.partition(".")[0] in OURS | {"tests"}}

    assert {module for module in ours if find_spec(module) is None} == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_that_are_named_in_full_exist(path: Path) -> None:
    """`services/catalog/README.md` in a text is as good as a link."""
    places = r"(?:contracts|libs|services|deploy|tests|\.ci)/[\w./-]*[\w/]"
    named = set(re.findall(rf"(?<![\w/.-])({places})", code(path.read_text())))

    assert {name for name in named if not (ROOT / name).exists() and not list(ROOT.glob(f"{name}*"))} == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_names_a_place_on_somebodys_machine(path: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:home|Users|work|root|tmp)/\w+", path.read_text()) == []
