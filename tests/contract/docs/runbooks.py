"""The index of the alerts' runbooks, made of their first lines."""

import re
from typing import Final

from tests.contract.docs.markdown import ROOT

FOLDER: Final = ROOT / "docs/runbooks"
_HEAD: Final = re.compile(r"# (?P<title>.+)\n\nAlert `(?P<alert>\w+)`\. \*\*(?P<severity>Page|Ticket)\*\*")


def index() -> str:
    """Return a table of alerts: what wakes somebody first, then by name."""
    heads = [(path.name, head) for path in FOLDER.glob("*.md") if (head := _HEAD.match(path.read_text()))]
    rows = sorted((head["severity"], head["alert"], f"[{head['title']}]({name})") for name, head in heads)
    return "\n".join(
        ["| alert | severity | page |", "|---|---|---|"]
        + [f"| `{alert}` | {severity.lower()} | {page} |" for severity, alert, page in rows]
    )
