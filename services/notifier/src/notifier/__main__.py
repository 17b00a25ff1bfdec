"""`python -m notifier` serves; `migrate`, `parked` and `resend KEY…|--parked` do that and end."""

import asyncio
import sys
from typing import Final

from chassis.process import run
from notifier import main

USAGE: Final = "usage: python -m notifier [serve | migrate | parked | resend KEY… | resend --parked]"


def command(arguments: list[str]) -> int:
    """Carry out one command; its exit status."""
    match arguments:
        case [] | ["serve"]:
            run(main.serve)
        case ["migrate"]:
            main.migrate_database()
        case ["parked"]:
            return asyncio.run(main.parked())
        case ["resend", *keys] if keys:
            return asyncio.run(main.resend(keys))
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(command(sys.argv[1:]))
