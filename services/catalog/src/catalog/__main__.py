"""`python -m catalog` and `… relay` serve; what is named as a command is done, and the process ends.

What a command runs is imported by the command: each process starts with its own part only.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from chassis.outbox.parked_options import add_parked
from chassis.process.doctor_options import add_doctor
from chassis.replay.options import add_since


def serve(_: Namespace) -> None:
    from catalog.main.service import serve
    from chassis.process.process import run

    run(serve)


def relay(_: Namespace) -> None:
    from catalog.main.relay import relay
    from chassis.process.process import run

    run(relay)


def migrate(_: Namespace) -> None:
    from catalog.main import MIGRATIONS, read_settings
    from chassis.database.migrations import migrate

    migrate(url=read_settings().database_url, migrations=MIGRATIONS)


def seed(_: Namespace) -> None:
    from catalog.main.seed import seed

    asyncio.run(seed())


def bootstrap(options: Namespace) -> None:
    from catalog.main.bootstrap import bootstrap

    asyncio.run(bootstrap(webhook_url=options.webhook_url, secret_file=options.secret_file))


def doctor(options: Namespace) -> None:
    from catalog.main.doctor import examine

    sys.exit(asyncio.run(examine(options.process, wait=options.wait)))


def parked(_: Namespace) -> None:
    from catalog.main.operator import parked

    sys.exit(asyncio.run(parked()))


def retry(given: Namespace) -> None:
    from catalog.main.operator import retry

    sys.exit(asyncio.run(retry(given.ids)))


def discard(given: Namespace) -> None:
    from catalog.main.operator import discard

    sys.exit(asyncio.run(discard(given.ids, reason=given.reason)))


def republish(_: Namespace) -> None:
    from catalog.main.replay import republish

    sys.exit(asyncio.run(republish()))


def reread(given: Namespace) -> None:
    from catalog.main.replay import reread

    sys.exit(asyncio.run(reread(since=given.since)))


COMMANDS: Final[Mapping[str, Callable[[Namespace], None]]] = {
    "serve": serve,
    "relay": relay,
    "migrate": migrate,
    "seed": seed,
    "bootstrap-stripe": bootstrap,
    "doctor": doctor,
    "parked": parked,
    "retry": retry,
    "discard": discard,
    "republish": republish,
    "reread": reread,
}


def options() -> Namespace:
    """Read the command line; without a command it serves."""
    parser = ArgumentParser(prog="python -m catalog", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command")
    for name in ("serve", "relay", "migrate", "seed", "republish"):
        commands.add_parser(name, allow_abbrev=False)
    add_doctor(commands, processes=("serve", "relay"))
    add_parked(commands)
    stripe = commands.add_parser(
        "bootstrap-stripe", help="make or find at Stripe what the plans and webhooks need", allow_abbrev=False
    )
    stripe.add_argument("--webhook-url", help="public address of the webhook-gateway; else STRIPE_WEBHOOK_URL")
    stripe.add_argument("--secret-file", type=Path, help="where a new signing secret goes instead of the terminal")
    add_since(commands.add_parser("reread", help="read Kafka again; what is known is dropped", allow_abbrev=False))
    return parser.parse_args()


if __name__ == "__main__":
    given = options()
    COMMANDS[given.command or "serve"](given)
