"""`python -m purchases api` and `… worker` serve; `migrate` brings the tables up to date and ends.

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


COMMANDS: Final[Mapping[str, Callable[[], None]]] = {"api": serve_api, "worker": work, "migrate": migrate}

if __name__ == "__main__":
    command = COMMANDS.get(" ".join(sys.argv[1:]))
    if command is None:
        sys.exit(f"usage: python -m purchases [{'|'.join(COMMANDS)}]")
    command()
