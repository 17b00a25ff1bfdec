"""`python -m purchases api` and `… worker` serve; `migrate` brings the tables up to date and ends."""

import sys
from collections.abc import Callable, Mapping
from typing import Final

from chassis.process import run
from purchases import main

COMMANDS: Final[Mapping[str, Callable[[], None]]] = {
    "api": lambda: run(main.serve_api),
    "worker": lambda: run(main.work),
    "migrate": main.migrate_database,
}

if __name__ == "__main__":
    command = COMMANDS.get(" ".join(sys.argv[1:]))
    if command is None:
        sys.exit(f"usage: python -m purchases [{'|'.join(COMMANDS)}]")
    command()
