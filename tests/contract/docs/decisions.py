"""The decisions as they stand in docs/decisions, one a file, and the list of them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests.contract.docs.markdown import ROOT, links

FOLDER: Final = ROOT / "docs/decisions"
FILES: Final = sorted(FOLDER.glob("[0-9]*.md"))
HEADINGS: Final = ["Context", "Decision", "Consequences", "When to look again", "Replaced by"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: its number and title, its file, and the files of those that replace it, wholly or in part."""

    number: int
    title: str
    path: Path
    replaced_by: tuple[str, ...]
    is_replaced_in_part: bool

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one file. Raises ValueError where its first line is no `# NUMBER. TITLE`."""
        text = path.read_text()
        number, dot, title = text.partition("\n")[0].removeprefix("# ").partition(". ")
        if not dot:
            raise ValueError(f"{path.name} does not begin with its number and title")
        end = text.partition("\n## Replaced by\n")[2]
        return cls(int(number), title, path, tuple(links(end)), ", in part" in end)


def index() -> str:
    """Return the list of all decisions, as a table."""
    head = ["| decision | replaced by |", "|---|---|"]
    return "\n".join([*head, *map(_row, map(Decision.read, FILES))])


def _row(decision: Decision) -> str:
    by = ", ".join(f"[{int(name[:4])}]({name})" for name in decision.replaced_by)
    in_part = "in part: " if decision.is_replaced_in_part else ""
    return f"| [{decision.number}. {re.sub(r'[|]', '/', decision.title)}]({decision.path.name}) | {in_part}{by} |"
