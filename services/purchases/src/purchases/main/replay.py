"""The commands for a Kafka that lost something: facts are published again, and topics are read again."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from chassis.database.database import Database
from chassis.replay.options import add_since
from chassis.replay.reread import Reread
from chassis.replay.sent_facts import KEPT
from purchases.batch.context import CONSUMER, Pages, keep_names
from purchases.main import read_settings
from purchases.main.doctor import USED_BY_WORKER
from purchases.moves.republish import republish_all
from purchases.worker.events import apply_facts

REREAD: Final = "purchases-reread"
REPUBLISH: Final = "purchases-republish"


def reread(arguments: Sequence[str]) -> None:
    """Read Kafka again over `--since 3d`; what is known is dropped. Safe to repeat, also beside the worker."""
    parser = argparse.ArgumentParser(prog="python -m purchases reread", description=__doc__, allow_abbrev=False)
    print(asyncio.run(_reread(add_since(parser).parse_args(arguments).since)))


async def _reread(since: timedelta) -> str:
    settings = read_settings(REREAD)
    apply = partial(apply_facts, instance=settings.quittance_instance, pages=Pages(settings.public_base_url))
    async with Database(settings.database_url, name=REREAD) as database:
        again = Reread(
            topics=USED_BY_WORKER.reads,
            group=CONSUMER,
            database=database,
            handle=apply,
            settings=settings,
            note=keep_names,
        )
        return await again.run(since=since)


def republish(arguments: Sequence[str]) -> None:
    """Send again what was sent over `--since 30d`, and the state of each older purchase. Safe to repeat."""
    parser = argparse.ArgumentParser(prog="python -m purchases republish", description=__doc__, allow_abbrev=False)
    asyncio.run(_republish(add_since(parser, default=KEPT).parse_args(arguments).since))


async def _republish(since: timedelta) -> None:
    async with Database(read_settings(REPUBLISH).database_url, name=REPUBLISH) as database:
        sent, announced = await republish_all(database, since=since)
    print(f"{sent} facts are sent again, and {announced} older purchases announce their state")
