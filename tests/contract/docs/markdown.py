"""The repository's Markdown files, and what the checks want of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
FILES: Final = sorted(
    path
    for pattern in (
        "*.md",
        "contracts/*.md",
        "libs/*/*.md",
        "sandbox/*.md",
        "services/*/*.md",
        "deploy/**/*.md",
        "docs/**/*.md",
        "tests/**/*.md",
    )
    for path in ROOT.glob(pattern)
)
SERVICES: Final = sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml"))
_FENCE: Final = re.compile(r"^```(?P<kind>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[[^\]\n]+\]\((?P<target>[^)\s]+)\)")
_HEADING: Final = re.compile(r"^#{1,6} +(?P<text>.+?) *#*$", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(text: str) -> str:
    """Without the code blocks."""
    return _FENCE.sub("", text)


def code(text: str) -> str:
    """Only the code blocks and the code inside of lines."""
    blocks = "\n".join(match["code"] for match in _FENCE.finditer(text) if match["kind"] != "mermaid")
    return blocks + "\n" + "\n".join(re.findall(r"`([^`\n]+)`", prose(text)))


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """The code blocks: their kind, and what is in them."""
    yield from ((match["kind"], match["code"]) for match in _FENCE.finditer(text))


def links(text: str) -> Iterator[str]:
    """The targets of inline links."""
    yield from (match["target"] for match in _LINK.finditer(prose(text)))


def headings(text: str) -> list[str]:
    return [match["text"] for match in _HEADING.finditer(prose(text))]


def anchors(text: str) -> set[str]:
    """The anchors that a forge makes of the headings."""
    words = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings(text))
    return {word.strip().replace(" ", "-") for word in words}


def rows(text: str) -> Iterator[list[str]]:
    """The rows of the tables, cell by cell, without their heads' rulers."""
    for line in prose(text).splitlines():
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]
