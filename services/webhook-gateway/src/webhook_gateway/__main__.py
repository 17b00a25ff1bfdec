"""`python -m webhook_gateway` serves; `doctor [--wait]` says what is wrong, or not there yet, and ends.

What a command runs is imported by the command: each process starts with its own part only.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from typing import Final

from chassis.process.doctor_options import add_doctor


def serve(_: Namespace) -> None:
    from chassis.process.process import run
    from webhook_gateway.main import main

    run(main)


def doctor(given: Namespace) -> None:
    from webhook_gateway.doctor import examine

    sys.exit(asyncio.run(examine(wait=given.wait)))


COMMANDS: Final[Mapping[str, Callable[[Namespace], None]]] = {"serve": serve, "doctor": doctor}


def options() -> Namespace:
    """Read the command line; without a command it serves."""
    parser = ArgumentParser(prog="python -m webhook_gateway", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", allow_abbrev=False)
    add_doctor(commands)
    return parser.parse_args()


if __name__ == "__main__":
    given = options()
    COMMANDS[given.command or "serve"](given)
