"""Requests kept in a file, so that a later suite can show them to another stand-in for Stripe."""

import json
import os
from pathlib import Path
from urllib.parse import parse_qsl

VARIABLE = "SANDBOX_STRIPE_REQUESTS"
"""Names the file. Every sandbox of a test run adds to it."""


class RequestsFile:
    """One line for each combination of operation and parameters' names: method, path, query, body."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[tuple[str, frozenset[str]]] = set()

    def note(self, *, operation: str, method: str, path: str, query: str, body: str) -> None:
        """Add a request, unless one like it was added."""
        names = frozenset(name for name, _ in parse_qsl(f"{query}&{body}", keep_blank_values=True))
        if (operation, names) in self._seen:
            return
        self._seen.add((operation, names))
        line = json.dumps({"method": method, "path": path, "query": query, "body": body})
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(f"{line}\n")


def requests_file() -> RequestsFile | None:
    """Return the file that the environment asks for, if it does."""
    named = os.environ.get(VARIABLE)
    return RequestsFile(Path(named)) if named else None
