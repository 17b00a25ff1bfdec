"""The command that ends the reading back of a restored copy by a person's word, where it cannot end by itself."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from chassis.database.database import Database
from chassis.recovery import epochs
from purchases.main import read_settings
from purchases.main.operator import operator

NAME: Final = "purchases-restored"
UNREAD: Final = "nothing is sold: epoch {epoch} began at {began_at:%Y-%m-%dT%H:%M:%SZ} and is not read back ({reason})"


def restored(arguments: Sequence[str]) -> None:
    """Say whether the ledger is being read back; with `--force --reason TEXT` selling goes on as it is now."""
    parser = argparse.ArgumentParser(prog="python -m purchases restored", description=__doc__)
    parser.add_argument("--force", action="store_true", help="let selling go on, although not all was read back")
    parser.add_argument("--reason", help="why that is right; kept with the epoch")
    options = parser.parse_args(arguments)
    if options.force and not (options.reason or "").strip():
        parser.error("--force needs --reason")
    sys.exit(asyncio.run(_restored(options.reason if options.force else None)))


async def _restored(reason: str | None) -> int:
    """Return 0 where selling goes on, else 1."""
    settings = read_settings(NAME)
    async with Database(settings.database_url, name=NAME) as database, database.transaction() as session:
        unread = await epochs.unread(session)
        for one in unread:
            print(UNREAD.format(epoch=one.epoch, began_at=one.began_at, reason=one.reason))
        if not unread:
            print("nothing is to be read back; selling goes on")
        elif reason is not None:
            await epochs.end(session, epochs=[one.epoch for one in unread], by=operator(), reason=reason)
            print("ended; selling goes on")
    return 1 if unread and reason is None else 0
