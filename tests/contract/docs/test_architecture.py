"""ARCHITECTURE.md is about the present: it names every command and every kill point of the code."""

import re

from purchases.commands_loop import COMMANDS
from tests.contract.docs.markdown import ROOT

TEXT = (ROOT / "ARCHITECTURE.md").read_text()


def section(title: str) -> str:
    return TEXT.partition(f"\n## {title}")[2].partition("\n## ")[0]


def test_it_has_the_commands_of_the_code() -> None:
    told = re.findall(r"^\| `(\w+)` \|", section("Commands"), re.MULTILINE)

    assert sorted(told) == sorted(COMMANDS)


def test_it_has_the_kill_points_of_the_code() -> None:
    sources = (path.read_text() for path in (ROOT / "services").rglob("src/**/*.py"))
    points = {point for source in sources for point in re.findall(r'\breached\("([^"]+)"\)', source)}

    assert {point for point in points if f"`{point}`" not in TEXT} == set()
