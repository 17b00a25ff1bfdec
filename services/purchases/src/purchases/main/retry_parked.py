"""The command that has everything of one kind that is parked tried again, by the worker, now."""

import argparse
import asyncio
from collections.abc import Sequence
from typing import Final

from chassis.database.database import Database
from purchases.main import read_settings
from purchases.main.operator import operator
from purchases.parked.retry_all_parked import retry_all_parked
from purchases.parked.store import Kind

NAME: Final = "purchases-retry-parked"


def retry_parked(arguments: Sequence[str]) -> None:
    """Try what `--kind command` says again, with `--about void` some of it; safe to repeat, also beside the worker."""
    parser = argparse.ArgumentParser(prog="python -m purchases retry-parked", description=__doc__)
    parser.add_argument("--kind", required=True, choices=[kind.value for kind in Kind], help="what is tried again")
    parser.add_argument("--about", default=None, help="only this type of fact, or this kind of command")
    options = parser.parse_args(arguments)
    print(f"{asyncio.run(_retry(Kind(options.kind), options.about))} tried again")


async def _retry(kind: Kind, about: str | None) -> int:
    settings = read_settings(NAME)
    async with Database(settings.database_url, name=NAME) as database:
        return await retry_all_parked(database=database, kind=kind, about=about, actor=operator())
