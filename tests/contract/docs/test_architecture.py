"""docs/architecture is about the present, in short pages; it names jobs, kill points, metrics, logs and settings."""

import re
from pathlib import Path

import pytest

from tests.contract.docs.markdown import ROOT, blocks, links, name_of
from tests.contract.sources import sources

PAGES = sorted((ROOT / "docs/architecture").glob("*.md"))
MAP = ROOT / "ARCHITECTURE.md"
OPERATING = (ROOT / "docs/architecture/operating.md").read_text()
LONGEST_PAGE = 80


def test_the_map_leads_to_every_page() -> None:
    led_to = {(ROOT / link).resolve() for link in links(MAP.read_text())}

    assert [name_of(page) for page in PAGES if page not in led_to] == []


@pytest.mark.parametrize("page", [MAP, *PAGES], ids=name_of)
def test_a_page_is_short_and_has_one_picture(page: Path) -> None:
    text = page.read_text()

    assert len(text.splitlines()) <= LONGEST_PAGE
    assert [kind for kind, _ in blocks(text)].count("mermaid") == 1


def test_it_has_the_kill_points_of_the_code() -> None:
    text = (ROOT / "docs/architecture/faults.md").read_text()
    points = {point for path in sources() for point in re.findall(r'\breached\("([^"]+)"\)', path.read_text())}

    assert {point for point in points if f"`{point}`" not in text} == set()


def test_an_operator_hears_of_every_metric_and_of_none_that_is_not() -> None:
    texts = (path.read_text() for path in sources())
    made = {
        name
        for text in texts
        for name in re.findall(r"(?:Counter|Gauge|Histogram)(?:MetricFamily)?\(\s*\"(billing_\w+)\"", text)
    }
    named = set(re.findall(r"`(billing_\w+)`", OPERATING))

    assert {_family(name) for name in named} == {_family(name) for name in made}


def test_an_operator_hears_of_logs_and_settings_that_there_are() -> None:
    texts = "".join(path.read_text() for path in sources())
    signs = re.findall(r"^\| (.*?) \|", OPERATING, re.MULTILINE)
    logs = {
        name for sign in signs for _, _, rest in [sign.partition("log")] for name in re.findall(r"`([a-z_]+)`", rest)
    }

    assert {name for name in logs if not name.startswith("billing_") and f'"{name}"' not in texts} == set()
    settings = set(re.findall(r"`([A-Z_]{4,})`", OPERATING))
    assert {name for name in settings if name.lower() not in texts} == set()


def _family(name: str) -> str:
    return name.removesuffix("_total")
