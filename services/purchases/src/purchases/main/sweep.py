"""The command that compares Stripe's last days, and what runs, with the ledger now, without the worker's timer."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from chassis.database.database import Database
from chassis.replay.options import period
from purchases.batch.context import Pages
from purchases.jobs.stripe_context import WorkerContext
from purchases.main import read_settings
from purchases.reconcile.passes import reconcile_open_disputes
from purchases.reconcile.reconcile import Found, reconcile_stretch
from purchases.reconcile.reconcile_subscriptions import reconcile_subscriptions
from purchases.reconcile.rules import REACH
from purchases.stripe_api.client import stripe_client
from purchases.stripe_api.since import Stretch
from purchases.worker.events import apply_facts


def sweep(arguments: Sequence[str]) -> None:
    """Compare Stripe with the ledger over `--since 35d`, `12h` or `90m`; safe to repeat, also beside the worker."""
    parser = argparse.ArgumentParser(prog="python -m purchases sweep", description=__doc__)
    parser.add_argument("--since", type=period, default=REACH, help="how far to look back: 35d, 12h, 90m")
    found = asyncio.run(_sweep(parser.parse_args(arguments).since))
    print("; ".join(f"{number} {what}" for what, number in found.items() if number) or "nothing was missed")


async def _sweep(back: timedelta) -> Found:
    settings = read_settings("purchases-sweep")
    client = stripe_client(secret_key=settings.stripe_secret_key.get_secret_value(), api_base=settings.stripe_api_base)
    async with Database(settings.database_url, name="purchases-sweep") as database:
        instance = settings.quittance_instance
        apply = partial(apply_facts, instance=instance, pages=Pages(settings.public_base_url))
        context = WorkerContext(database=database, client=client, instance=instance, apply=apply)
        now = datetime.now(UTC)
        found = await reconcile_stretch(context, Stretch(now - back, now + timedelta(minutes=1)))
        found["disputes"] += await reconcile_open_disputes(context)
        return found + Found(subscriptions=await reconcile_subscriptions(context))
