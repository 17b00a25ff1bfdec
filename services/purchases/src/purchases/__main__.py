"""`python -m purchases api`, `… worker` and `… relay` serve; `migrate`, `sweep [--since 35d]`, `reread --since 3d`,
`republish`, `retry-parked --kind command`, `restored [--force --reason why]` and `doctor [api|worker|relay] [--wait]`
do their work and end.

What a command runs is imported by the command: each process starts with its own part only.
"""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from chassis.process.doctor_options import HELP, add_wait

PROGRAM: Final = "python -m purchases"


def serve_api() -> None:
    from chassis.process.process import run
    from purchases.main.api import serve

    run(serve)


def work() -> None:
    from chassis.process.process import run
    from purchases.main.worker import work

    run(work)


def relay() -> None:
    from chassis.process.process import run
    from purchases.main.relay import relay

    run(relay)


def migrate() -> None:
    from chassis.database.migrations import migrate
    from purchases.main import MIGRATIONS, read_settings

    migrate(url=read_settings("purchases-migrate").database_url, migrations=MIGRATIONS)


def sweep() -> None:
    from purchases.main.sweep import sweep

    sweep(sys.argv[2:])


def retry_parked() -> None:
    from purchases.main.retry_parked import retry_parked

    retry_parked(sys.argv[2:])


def restored() -> None:
    from purchases.main.restored import restored

    restored(sys.argv[2:])


def reread() -> None:
    from purchases.main.replay import reread

    reread(sys.argv[2:])


def republish() -> None:
    from purchases.main.replay import republish

    republish(sys.argv[2:])


def doctor() -> None:
    from purchases.main.doctor import PROCESSES, examine

    parser = add_wait(ArgumentParser(prog=f"{PROGRAM} doctor", description=HELP, allow_abbrev=False))
    parser.add_argument("process", nargs="?", choices=PROCESSES, help="one of them; else all")
    given = parser.parse_args(sys.argv[2:])
    wanted = [given.process] if given.process else PROCESSES
    found = {asyncio.run(examine(process, wait=given.wait)) for process in wanted} - {0}
    sys.exit(min(found, default=0))  # what is wrong, before what has not come


COMMANDS: Final[Mapping[str, Callable[[], None]]] = {
    "api": serve_api,
    "worker": work,
    "relay": relay,
    "migrate": migrate,
    "sweep": sweep,
    "retry-parked": retry_parked,
    "restored": restored,
    "reread": reread,
    "republish": republish,
    "doctor": doctor,
}
WITH_ARGUMENTS: Final = (sweep, retry_parked, restored, reread, republish, doctor)


def main(words: Sequence[str]) -> None:
    """Carry out the command that is the first of `words`; the others are its own. Exits with 2 for unknown ones."""
    parser = ArgumentParser(prog=PROGRAM, description=__doc__, allow_abbrev=False)
    parser.add_argument("command", choices=COMMANDS)
    name = parser.parse_args(words[:1]).command
    if COMMANDS[name] not in WITH_ARGUMENTS:
        ArgumentParser(prog=f"{PROGRAM} {name}", allow_abbrev=False).parse_args(words[1:])
    COMMANDS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
