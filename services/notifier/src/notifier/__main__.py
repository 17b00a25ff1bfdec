"""`python -m notifier` serves; what is named as a command is done, and the process ends.

What a command runs is imported by the command: each process starts with its own part only.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from chassis.outbox.parked_options import add_parked
from chassis.process.doctor_options import add_doctor
from chassis.replay.options import add_since


def serve(_: Namespace) -> int:
    from chassis.process.process import run
    from notifier.main.service import serve

    run(serve)
    return 0


def migrate(_: Namespace) -> int:
    from chassis.database.migrations import migrate
    from notifier.main import MIGRATIONS, read_settings

    migrate(url=read_settings().database_url, migrations=MIGRATIONS)
    return 0


def doctor(given: Namespace) -> int:
    from notifier.main.doctor import examine

    return asyncio.run(examine(wait=given.wait))


def parked(_: Namespace) -> int:
    from notifier.main.operator import parked

    return asyncio.run(parked())


def resend(given: Namespace) -> int:
    from notifier.main.operator import resend
    from notifier.parked.commands import PARKED_FLAG

    return asyncio.run(resend([PARKED_FLAG] if given.parked else given.keys))


def retry(given: Namespace) -> int:
    from notifier.main.operator import retry

    return asyncio.run(retry(given.ids))


def discard(given: Namespace) -> int:
    from notifier.main.operator import discard

    return asyncio.run(discard(given.ids, reason=given.reason))


def reread(given: Namespace) -> int:
    from notifier.main.reread import reread

    return asyncio.run(reread(since=given.since))


COMMANDS: Final[Mapping[str, Callable[[Namespace], int]]] = {
    "serve": serve,
    "migrate": migrate,
    "doctor": doctor,
    "parked": parked,
    "resend": resend,
    "retry": retry,
    "discard": discard,
    "reread": reread,
}


def options(words: Sequence[str]) -> Namespace:
    """Read the command line; without a command it serves."""
    parser = ArgumentParser(prog="python -m notifier", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command")
    for name in ("serve", "migrate"):
        commands.add_parser(name, allow_abbrev=False)
    add_doctor(commands)
    add_parked(commands)
    again = commands.add_parser("resend", help="queue mails anew", allow_abbrev=False)
    again.add_argument("keys", nargs="*", metavar="KEY")
    again.add_argument("--parked", action="store_true", help="every parked one")
    read = commands.add_parser("reread", help="read Kafka again; what is known is dropped", allow_abbrev=False)
    add_since(read)
    given = parser.parse_args(words)
    if given.command == "resend" and bool(given.keys) is given.parked:
        again.error("the keys of some, or --parked")
    return given


def command(words: Sequence[str]) -> int:
    """Carry out one command; return its exit status."""
    given = options(words)
    return COMMANDS[given.command or "serve"](given)


if __name__ == "__main__":
    sys.exit(command(sys.argv[1:]))
