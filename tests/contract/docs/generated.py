"""The parts of documents that are made from the code: what stands between `<!-- make docs: NAME -->` and its end."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.contract.docs import decisions, licences, runbooks, tables
from tests.contract.docs.markdown import FILES
from tests.guards import found

PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "decisions": decisions.index,
    "topics": tables.topics,
    "topics-with-facts": tables.topics_with_facts,
    "facts": tables.facts,
    "processes": tables.processes,
    "subjects": tables.subjects,
    "jobs": tables.jobs,
    "problems": tables.problems,
    "metrics": tables.metrics_table,
    "settings": tables.settings,
    "licences": licences.report,
    "licences-of-the-sandbox": licences.sandbox,
    "alerts": runbooks.index,
    "guards": found.table,
}
_PART: Final = re.compile(
    r"(?P<begin>^<!-- make docs: (?P<name>[\w-]+) -->\n)(?:.*?)(?P<end>^<!-- /make docs -->$)", re.MULTILINE | re.DOTALL
)


def names_in(text: str) -> list[str]:
    """Return the names of the generated parts of a document."""
    return [match["name"] for match in _PART.finditer(text)]


def renewed(text: str) -> str:
    """Return a document with each generated part as the code has it. Raises KeyError for an unknown name."""
    return _PART.sub(lambda match: f"{match['begin']}{PARTS[match['name']]()}\n{match['end']}", text)


def write() -> list[Path]:
    """Renew every document, and return those that changed."""
    changed = [path for path in FILES if renewed(path.read_text()) != path.read_text()]
    for path in changed:
        path.write_text(renewed(path.read_text()))
    return changed
