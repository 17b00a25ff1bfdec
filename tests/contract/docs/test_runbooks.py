"""What a runbook or a table of security tells a person to look at is there."""

import re
from pathlib import Path

import pytest

from tests.contract.docs.markdown import ROOT
from tests.contract.sources import sources

TEXTS = "".join(path.read_text() for path in sources())
RUNBOOKS = sorted((ROOT / "docs/runbooks").glob("*.md"))
SECURITY = sorted((ROOT / "docs/security").glob("*.md"))


def name_of(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", RUNBOOKS, ids=name_of)
def test_a_log_word_of_a_runbook_is_logged(path: Path) -> None:
    words = {
        word
        for sentence in re.findall(r"\b[Ll]ogs? (`.+?)(?:\.|;|$)", path.read_text(), re.MULTILINE)
        for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", sentence)
    }

    assert {word for word in words if not word.startswith("billing_") and f'"{word}"' not in TEXTS} == set()


@pytest.mark.parametrize("path", RUNBOOKS, ids=name_of)
def test_a_metric_of_a_runbook_is_exported(path: Path) -> None:
    named = {name.removesuffix("_total") for name in re.findall(r"\bbilling_[a-z_]+", path.read_text())}

    assert {name for name in named if f'"{name}' not in TEXTS} == set()


@pytest.mark.parametrize("path", RUNBOOKS, ids=name_of)
def test_a_setting_of_a_runbook_is_read(path: Path) -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", path.read_text()))

    assert {name for name in named if name.lower() not in TEXTS} == set()


@pytest.mark.parametrize("path", [*RUNBOOKS, *SECURITY], ids=name_of)
def test_a_page_is_read_in_one_go(path: Path) -> None:
    """Of a table each line is one; else a page at night has at most 80."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("|")]

    assert len(lines) <= 80


def test_each_test_that_a_point_of_asvs_names_exists() -> None:
    named = set(re.findall(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`", SECURITY[0].read_text()))

    missing = {
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).exists() or (test and f"def {test}(" not in (ROOT / path).read_text())
    }
    assert named
    assert missing == set()
