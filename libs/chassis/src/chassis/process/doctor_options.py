"""The command line of `doctor`; it imports no more than a command line needs."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, Final

HELP: Final = "say what is wrong with the settings, else what has not come yet"
WAIT_SECONDS: Final = 300.0


def add_wait(parser: ArgumentParser) -> ArgumentParser:
    """Let `parser` take how long is waited, and return it."""
    parser.add_argument(
        "--wait",
        nargs="?",
        type=float,
        const=WAIT_SECONDS,
        default=0.0,
        metavar="SECONDS",
        help=f"wait for database, migrations, broker and topics; {WAIT_SECONDS:.0f} s without a number",
    )
    return parser


def add_doctor(commands: Any, *, processes: Sequence[str] = ()) -> None:
    """Add the command to `commands`, which argparse has no public type for.

    Where a service has several `processes` the first is meant, unless one is named.
    """
    parser = add_wait(commands.add_parser("doctor", help=HELP, description=HELP, allow_abbrev=False))
    if processes:
        parser.add_argument(
            "process", nargs="?", choices=processes, default=processes[0], help=f"which; else {processes[0]}"
        )
