"""The state diagram of TRANSITIONS in Mermaid: `python -m purchases.diagram [--write FILE | --check FILE]`."""

import argparse
import sys
from pathlib import Path
from typing import Final

from purchases.ledger.transitions import HOLDS_SLOT, TRANSITIONS, Status

BEGIN: Final = "<!-- diagram: python -m purchases.diagram --write services/purchases/README.md -->"
END: Final = "<!-- /diagram -->"


class NoPlace(ValueError):  # noqa: N818 - named for what it says
    """The file has no place for the diagram."""


def diagram() -> str:
    """Draw it in Mermaid, in a code block: one arrow per pair of statuses, labelled with its triggers."""
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for (status, trigger), step in TRANSITIONS.items():
        arrows.setdefault((status, step.status), []).append(trigger.value.replace("_", " "))
    lines = [f"    {start} --> {end}: {', '.join(triggers)}" for (start, end), triggers in arrows.items()]
    slots = [f"    class {status} slot" for status in Status if status in HOLDS_SLOT]
    head = ["stateDiagram-v2", f"    [*] --> {Status.PENDING}: bought"]
    return "\n".join(["```mermaid", *head, *lines, "    classDef slot stroke-width:3px", *slots, "```"])


def with_diagram(text: str) -> str:
    """Return `text` with the diagram of today between its two marks. Raises NoPlace where it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise NoPlace(f"no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{diagram()}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m purchases.diagram", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="renew the diagram in this file")
    parser.add_argument("--check", type=Path, metavar="FILE", help="fail where this file has another one")
    options = parser.parse_args()
    if options.write:
        options.write.write_text(with_diagram(options.write.read_text()))
    elif options.check:
        text = options.check.read_text()
        if with_diagram(text) != text:
            print(f"{options.check}: not the diagram of TRANSITIONS; --write renews it", file=sys.stderr)
            return 1
    else:
        print(diagram())
    return 0


if __name__ == "__main__":
    sys.exit(main())
