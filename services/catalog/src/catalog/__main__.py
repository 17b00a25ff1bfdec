"""`python -m catalog` serves; `migrate` and `seed` do that and end."""

import sys
from collections.abc import Callable, Mapping
from typing import Final

from catalog import main
from chassis.process import run

COMMANDS: Final[Mapping[str, Callable[[], None]]] = {
    "serve": lambda: run(main.serve),
    "migrate": main.migrate_database,
    "seed": lambda: run(main.seed),
}

if __name__ == "__main__":
    command = COMMANDS.get(" ".join(sys.argv[1:]) or "serve")
    if command is None:
        sys.exit(f"usage: python -m catalog [{'|'.join(COMMANDS)}]")
    command()
