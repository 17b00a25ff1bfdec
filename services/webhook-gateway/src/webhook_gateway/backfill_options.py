"""The command line of `backfill`: which stretch of Stripe's list, and behind which event it goes on."""

import re
from argparse import ArgumentTypeError, _SubParsersAction
from datetime import UTC, datetime, timedelta
from typing import Any, Final

FORGETS: Final = timedelta(days=30)
"""Stripe lists events of the last 30 days. Source: https://docs.stripe.com/api/events."""
UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}
PERIOD: Final = re.compile(r"([1-9][0-9]{0,4})([dhm])")
EVENT: Final = re.compile(r"evt_[A-Za-z0-9_]{1,250}")
HELP: Final = "publish Stripe's list of events again; the inboxes drop what they know, so it is safe at any time"


def add_backfill(commands: "_SubParsersAction[Any]") -> None:
    """Add the command to a parser's others."""
    parser = commands.add_parser("backfill", help=HELP, description=HELP, allow_abbrev=False)
    parser.add_argument("--since", type=listed_time, required=True, help="3d, 12h, 90m ago, or a time with its zone")
    parser.add_argument("--until", type=moment, default=None, help="likewise; else now")
    parser.add_argument("--after", type=event_id, default=None, help="go on behind this event, which was printed")


def moment(text: str) -> datetime:
    """Read `3d` as a time before now, or a time as RFC 3339 writes it. Raises what argparse reports."""
    if match := PERIOD.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{UNITS[match[2]]: int(match[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is neither a period such as 3d nor a time") from None
    if at.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no time zone")
    return at.astimezone(UTC)


def listed_time(text: str) -> datetime:
    """Read a time from which on Stripe still lists events. Raises what argparse reports."""
    at = moment(text)
    if at < datetime.now(UTC) - FORGETS - timedelta(minutes=1):
        raise ArgumentTypeError("Stripe lists events for 30 days: `python -m purchases sweep` compares what is older")
    return at


def event_id(text: str) -> str:
    """Read an event's id. Raises what argparse reports."""
    if not EVENT.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is no id of an event, evt_…")
    return text
