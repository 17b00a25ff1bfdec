"""`python -m notifier` serves; `migrate`, `parked`, `resend KEY…|--parked` and `retry ID…` do that and end.

What a command runs is imported by the command: each process starts with its own part only.
"""

import asyncio
import sys
from typing import Final

USAGE: Final = "usage: python -m notifier [serve | migrate | parked | resend KEY… | resend --parked | retry ID…]"


def serve() -> None:
    from chassis.process import run
    from notifier.main.service import serve

    run(serve)


def migrate() -> None:
    from notifier.main.migrate import migrate_database

    migrate_database()


def parked() -> int:
    from notifier.main.operator import parked

    return asyncio.run(parked())


def resend(keys: list[str]) -> int:
    from notifier.main.operator import resend

    return asyncio.run(resend(keys))


def retry(ids: list[str]) -> int:
    from notifier.main.operator import retry

    return asyncio.run(retry(ids))


def command(arguments: list[str]) -> int:
    """Carry out one command; its exit status."""
    match arguments:
        case [] | ["serve"]:
            serve()
        case ["migrate"]:
            migrate()
        case ["parked"]:
            return parked()
        case ["resend", *keys] if keys:
            return resend(keys)
        case ["retry", *ids] if ids:
            return retry(ids)
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(command(sys.argv[1:]))
