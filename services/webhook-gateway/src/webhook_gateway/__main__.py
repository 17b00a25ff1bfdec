"""`python -m webhook_gateway` serves; `doctor [--wait]` says what is wrong, or not there yet, and ends.
`backfill --since 3d [--until …] [--after evt_…]` publishes Stripe's list of events again.

What a command runs is imported by the command: each process starts with its own part only.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from typing import Final

from chassis.process.doctor_options import add_doctor
from webhook_gateway.backfill_options import add_backfill


def serve(_: Namespace) -> None:
    from chassis.process.process import run
    from webhook_gateway.main import main

    run(main)


def doctor(given: Namespace) -> None:
    from webhook_gateway.doctor import examine

    sys.exit(asyncio.run(examine(wait=given.wait)))


def backfill(given: Namespace) -> None:
    from webhook_gateway.backfill.command import backfill

    sys.exit(asyncio.run(backfill(given)))


COMMANDS: Final[Mapping[str, Callable[[Namespace], None]]] = {"serve": serve, "doctor": doctor, "backfill": backfill}


def options() -> Namespace:
    """Read the command line; without a command it serves."""
    parser = ArgumentParser(prog="python -m webhook_gateway", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", allow_abbrev=False)
    add_doctor(commands)
    add_backfill(commands)
    return parser.parse_args()


if __name__ == "__main__":
    given = options()
    COMMANDS[given.command or "serve"](given)
