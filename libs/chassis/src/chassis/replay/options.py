"""Options of a command that goes back: `--since`."""

import re
from argparse import ArgumentParser
from datetime import timedelta
from typing import Final

UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}


def add_since(parser: ArgumentParser, *, default: timedelta | None = None) -> ArgumentParser:
    """Add `--since 3d`, which has to be given where there is no default."""
    words = "how far to go back: 3d, 12h, 90m"
    parser.add_argument("--since", type=period, default=default, required=default is None, help=words)
    return parser


def period(text: str) -> timedelta:
    """Read `35d`. Raises ValueError, which argparse reports."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([dhm])", text)
    if match is None:
        raise ValueError(text)
    number, unit = match.groups()
    return timedelta(**{UNITS[unit]: int(number)})
