"""Writes `schemas/`: one JSON Schema (2020-12) per fact, closed, as producers send it. `--check` only compares."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from contracts.fact import Fact
from contracts.topics import FACTS

ROOT: Final = Path(__file__).parents[2]


def schema_of(fact: type[Fact]) -> dict[str, Any]:
    """Return one fact's closed schema: a producer that sends another key breaks it, a consumer ignores the key."""
    schema = fact.model_json_schema(mode="serialization")
    for part in [schema, *schema.get("$defs", {}).values()]:
        part["additionalProperties"] = False
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:quittance:{fact.TYPE}",
        **schema,
    }


def stale(*, root: Path = ROOT) -> list[str]:
    """Return the types whose committed schema is missing or differs from the code."""
    return [name for name, fact in FACTS.items() if _committed(root, name) != _text(fact)]


def write(*, root: Path = ROOT) -> None:
    """Write every schema file anew."""
    for name, fact in FACTS.items():
        (root / "schemas" / f"{name}.json").write_text(_text(fact))


def _text(fact: type[Fact]) -> str:
    return json.dumps(schema_of(fact), indent=2) + "\n"


def _committed(root: Path, name: str) -> str | None:
    file = root / "schemas" / f"{name}.json"
    return file.read_text() if file.exists() else None


def only_compares(program: str, description: str | None) -> bool:
    """Read the command line of `program`, which writes what the code says or with `--check` compares it."""
    parser = ArgumentParser(prog=f"python -m {program}", description=description, allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="only compare")
    return bool(parser.parse_args().check)


if __name__ == "__main__":
    if not only_compares("contracts.schemas", __doc__):
        write()
    elif differing := stale():
        sys.exit(f"contracts/schemas is not what the code says: {', '.join(differing)} (python -m contracts.schemas)")
