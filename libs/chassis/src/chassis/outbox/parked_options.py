"""The words of the commands about what a consumer has set aside; read without importing what they run."""

from argparse import ArgumentParser, _SubParsersAction


def add_parked(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add `parked`, `retry ID…` and `discard ID… --reason TEXT`."""
    commands.add_parser("parked", help="print what waits for an operator", allow_abbrev=False)
    again = commands.add_parser("retry", help="have parked facts tried again", allow_abbrev=False)
    again.add_argument("ids", nargs="+", metavar="ID")
    ended = commands.add_parser("discard", help="end parked facts unapplied", allow_abbrev=False)
    ended.add_argument("ids", nargs="+", metavar="ID")
    ended.add_argument("--reason", required=True, help="for whoever looks later")
