"""`python -m sandbox up|down|status`: the embedded stack from the command line."""

import argparse
import sys

from sandbox import commands, places
from sandbox.state_files import StateFiles


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status", "supervise"], metavar="up|down|status")
    parser.add_argument("--without-services", action="store_true", help="only what the services stand on")
    parser.add_argument(
        "--without", action="append", default=[], metavar="PART", help="stripe, mailbox, issuer or front"
    )
    options = parser.parse_args()
    files = StateFiles(places.state().resolve())
    match options.command:
        case "up":
            return commands.up(files, sys.argv[2:])
        case "down":
            return commands.down(files)
        case "status":
            return commands.status(files)
        case _:
            return _supervise(files, options)


def _supervise(files: StateFiles, options: argparse.Namespace) -> int:
    from sandbox.processes import SERVICES
    from sandbox.supervisor import run  # heavy, and only needed here

    return run(files, services=() if options.without_services else SERVICES, without=options.without)


if __name__ == "__main__":
    sys.exit(main())
