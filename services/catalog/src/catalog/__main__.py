"""`python -m catalog` serves; `migrate`, `seed` and `bootstrap-stripe` do that and end."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from catalog import main
from chassis.process import run


def bootstrap(options: Namespace) -> None:
    run(partial(main.bootstrap, webhook_url=options.webhook_url, secret_file=options.secret_file))


COMMANDS: Final[Mapping[str, Callable[[Namespace], None]]] = {
    "serve": lambda _: run(main.serve),
    "migrate": lambda _: main.migrate_database(),
    "seed": lambda _: run(main.seed),
    "bootstrap-stripe": bootstrap,
}


def options() -> Namespace:
    """The command line; without a command it serves."""
    parser = ArgumentParser(prog="python -m catalog", allow_abbrev=False)
    parser.set_defaults(command="serve")
    commands = parser.add_subparsers(dest="command")
    for name in ("serve", "migrate", "seed"):
        commands.add_parser(name)
    stripe = commands.add_parser("bootstrap-stripe", help="make or find at Stripe what the plans and webhooks need")
    stripe.add_argument("--webhook-url", help="public address of the webhook-gateway; else STRIPE_WEBHOOK_URL")
    stripe.add_argument("--secret-file", type=Path, help="where a new signing secret goes instead of the terminal")
    return parser.parse_args()


if __name__ == "__main__":
    given = options()
    COMMANDS[given.command or "serve"](given)
