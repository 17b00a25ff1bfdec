"""ARCHITECTURE.md is about the present: it names every command and every kill point of the code."""

import re

from purchases.worker.jobs import COMMANDS
from tests.contract.docs.markdown import ROOT
from tests.contract.sources import sources

TEXT = (ROOT / "ARCHITECTURE.md").read_text()


def section(title: str) -> str:
    return TEXT.partition(f"\n## {title}")[2].partition("\n## ")[0]


def test_it_has_the_commands_of_the_code() -> None:
    told = re.findall(r"^\| `(\w+)` \|", section("Commands"), re.MULTILINE)

    assert sorted(told) == sorted(COMMANDS)


def test_it_has_the_kill_points_of_the_code() -> None:
    texts = (path.read_text() for path in sources())
    points = {point for text in texts for point in re.findall(r'\breached\("([^"]+)"\)', text)}

    assert {point for point in points if f"`{point}`" not in TEXT} == set()


def test_an_operator_is_told_of_every_metric_and_of_none_that_is_not() -> None:
    texts = (path.read_text() for path in sources())
    made = {
        name
        for text in texts
        for name in re.findall(r"(?:Counter|Gauge|Histogram)(?:MetricFamily)?\(\s*\"(billing_\w+)\"", text)
    }
    told = set(re.findall(r"`(billing_\w+)`", section("What an operator sees")))

    assert {_family(name) for name in told} == {_family(name) for name in made}


def test_an_operator_is_told_of_logs_and_settings_that_there_are() -> None:
    texts = "".join(path.read_text() for path in sources())
    signs = re.findall(r"^\| (.*?) \|", section("What an operator sees"), re.MULTILINE)
    logs = {
        name for sign in signs for _, _, rest in [sign.partition("log")] for name in re.findall(r"`([a-z_]+)`", rest)
    }

    assert {name for name in logs if not name.startswith("billing_") and f'"{name}"' not in texts} == set()
    settings = set(re.findall(r"`([A-Z_]{4,})`", section("What an operator sees")))
    assert {name for name in settings if name.lower() not in texts} == set()


def _family(name: str) -> str:
    return name.removesuffix("_total")
