"""A service's OpenAPI document: problems as they are sent, and the committed file, which is what the code says."""

import json
import sys
from argparse import ArgumentParser
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI

from chassis.problems import MEDIA_TYPE, SCHEMA, Problem
from chassis.web.auth import forbidden, unauthenticated
from chassis.web.problem_handlers import invalid_request

Responses = dict[int | str, dict[str, Any]]
CHECK: Final = "--check"
INVALID: Final = {"loc": ("body", "name"), "msg": "Field required", "type": "missing"}

UNAUTHENTICATED: Final = unauthenticated("There is no token.", invalid=False)
NOT_STAFF: Final = forbidden("Only platform staff may do this.")
NOTHING_HERE: Final = Problem(404, "not-found", "There is nothing here")
"""A path with control characters, of which no id is made."""
INVALID_REQUEST: Final = invalid_request([INVALID], content_type="application/json")
UNREADABLE: Final = (
    Problem(400, "malformed-json", "The body is not JSON"),
    Problem(413, "body-too-large", "The body is too large"),
    Problem(415, "unsupported-media-type", "The body must be JSON"),
)
"""What every operation that takes a body can meet."""


def problems(*refusals: Problem) -> Responses:
    """FastAPI's `responses` for what an operation can refuse with; each refusal is its own example."""
    by_status: dict[int, list[Problem]] = defaultdict(list)
    for refusal in refusals:
        by_status[refusal.status].append(refusal)
    return {status: _response(alike) for status, alike in by_status.items()}


def _response(alike: list[Problem]) -> dict[str, Any]:
    types = {"type": "string", "format": "uri", "enum": [one.type for one in alike]}
    schema = SCHEMA | {"properties": SCHEMA["properties"] | {"type": types}}
    examples = {one.slug: {"summary": one.title, "value": one.members()} for one in alike}
    return {
        "description": "; ".join(one.title for one in alike),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


def document_text(app: FastAPI) -> str:
    """Return the document as it is committed."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def write_document(app: FastAPI, file: Path) -> None:
    """Write `file`, or with `--check` only compare and exit non-zero, for `python -m SERVICE.openapi`."""
    parser = ArgumentParser(prog=f"python -m {file.stem}.openapi", allow_abbrev=False)
    parser.add_argument(CHECK, action="store_true", help="only compare")
    if not parser.parse_args().check:
        file.parent.mkdir(exist_ok=True)
        file.write_text(document_text(app))
    elif not file.exists() or file.read_text() != document_text(app):
        sys.exit(f"{file.name} is not what the code says; write it anew without {CHECK}")
