"""What a runbook or a table of security tells a person to look at is there."""

import re
from pathlib import Path

import pytest

from tests.alerts.rules import ALERTS
from tests.contract.docs.markdown import ROOT
from tests.contract.sources import sources

TEXTS = "".join(path.read_text() for path in sources())
RUNBOOKS = sorted((ROOT / "docs/runbooks").glob("*.md"))
GROUP = re.compile(r'\b(?:GROUP|CONSUMER): Final = "([a-z]+)"')
TABLE = re.compile(r'(?:__tablename__ = |\bTable\(\s*|create_table\(\s*)"([a-z_]+)"')
LIMITS = [
    ("api-errors", "more than one of twenty", "> 0.05"),
    ("stripe-facts-late", "more than half", "> 0.5"),
    ("stripe-facts-late", "five minutes", 'le="300.0"'),
    ("database-connections-near-limit", "more than 85 %", "> 0.85"),
    ("stripe-rate-limited", "more than once in ten seconds", "> 0.1"),
    ("webhook-error-budget-burns-fast", "more than 14 times", "rate1h > 14.4 * 0.0005"),
    ("webhook-error-budget-burns-fast", "6 times as many in six hours", "rate6h > 6 * 0.0005"),
    ("webhook-error-budget-burns-slowly", "over a day, three times", "rate1d > 3 * 0.0005"),
    ("webhook-error-budget-burns-slowly", "than it allows over three", "rate3d > 0.0005"),
    ("webhooks-slow", "longer than 5 s", 'le="5.0"'),
    ("webhooks-slow", "more than 14 times", "> 14.4 * 0.0005"),
    ("undecided-money-old", "for more than a day", "> 86400"),
    ("consumer-stands-still", "for a minute", "> 60"),
    ("retention-stands-still", "for six hours", "> 21600"),
]
"""Of a page: what it says is too much, and how its rule says so."""
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


@pytest.mark.parametrize(("page", "words", "limit"), LIMITS)
def test_a_runbook_and_its_rule_have_one_limit(page: str, words: str, limit: str) -> None:
    text = " ".join((ROOT / f"docs/runbooks/{page}.md").read_text().split()).lower()
    alert = "".join(part.capitalize() for part in page.split("-"))

    assert words in text
    assert limit in ALERTS[alert]["expr"]


@pytest.mark.parametrize("path", RUNBOOKS, ids=name_of)
def test_a_consumer_group_of_a_runbook_is_one_of_ours(path: Path) -> None:
    groups = set(GROUP.findall(TEXTS))
    named = set(re.findall(r'(?:--group |\bgroup=")([\w-]+)', path.read_text()))

    assert groups >= {"catalog", "notifier", "purchases"}
    assert named - groups == set()


@pytest.mark.parametrize("path", RUNBOOKS, ids=name_of)
def test_a_table_of_a_runbook_is_in_a_database_of_ours(path: Path) -> None:
    text = path.read_text()
    listed = re.findall(r"\b[Tt]ables? ((?:`[a-z_]+`(?:, | and )?)+)", text)
    named = {table for one in listed for table in re.findall(r"`([a-z_]+)`", one)}
    queried = set(re.findall(r"\b(?:update|from)\s+([a-z]+_[a-z_]+)\b", " ".join(text.split())))

    assert {table for table in named | queried if not table.startswith("pg_")} - set(TABLE.findall(TEXTS)) == set()


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
