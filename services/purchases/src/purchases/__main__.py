"""`python -m purchases api` and `… worker` serve; `migrate` and `sweep [--since 35d]` do their work and end.

What a command runs is imported by the command: each process starts with its own part only.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Final


def serve_api() -> None:
    from chassis.process import run
    from purchases.main.api import serve

    run(serve)


def work() -> None:
    from chassis.process import run
    from purchases.main.worker import work

    run(work)


def migrate() -> None:
    from purchases.main.migrate import migrate_database

    migrate_database()


def sweep() -> None:
    from purchases.main.sweep import sweep

    sweep(sys.argv[2:])


COMMANDS: Final[Mapping[str, Callable[[], None]]] = {
    "api": serve_api,
    "worker": work,
    "migrate": migrate,
    "sweep": sweep,
}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:] or [""]
    command = COMMANDS.get(name)
    if command is None or (arguments and command is not sweep):
        sys.exit(f"usage: python -m purchases [{'|'.join(COMMANDS)}]")
    command()
