"""`python -m purchases api` and `… worker` serve; `migrate`, `sweep [--since 35d]` and
`retry-parked --kind command` do their work and end.

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


def retry_parked() -> None:
    from purchases.main.retry_parked import retry_parked

    retry_parked(sys.argv[2:])


COMMANDS: Final[Mapping[str, Callable[[], None]]] = {
    "api": serve_api,
    "worker": work,
    "migrate": migrate,
    "sweep": sweep,
    "retry-parked": retry_parked,
}
WITH_ARGUMENTS: Final = (sweep, retry_parked)

if __name__ == "__main__":
    name, *arguments = sys.argv[1:] or [""]
    command = COMMANDS.get(name)
    if command is None or (arguments and command not in WITH_ARGUMENTS):
        sys.exit(f"usage: python -m purchases [{'|'.join(COMMANDS)}]")
    command()
