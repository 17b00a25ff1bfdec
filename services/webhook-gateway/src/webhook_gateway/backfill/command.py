"""The command `backfill`: the only one of the gateway that reads STRIPE_SECRET_KEY."""

import sys
from argparse import Namespace
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import httpx

from chassis.kafka.broker_check import TopicsUsed
from chassis.kafka.kafka import BrokerUnavailable, connection
from chassis.process import doctor
from chassis.process.kafka_settings import kafka
from chassis.process.startup import prepare_process, refuse_unless_sound
from contracts.topics import STRIPE_EVENTS
from webhook_gateway.backfill.backfill import Backfill
from webhook_gateway.backfill.event_list import EventList, ListUnavailable, Stretch
from webhook_gateway.broker import BrokerConnection, connect_with
from webhook_gateway.settings import BackfillSettings

NAME: Final = "webhook-gateway-backfill"
USED: Final = TopicsUsed.of("webhook-gateway")
COUNTED: Final = "Purchases counts and logs what was missing as it applies it: billing_backfill_missed_total."


def findings(settings: BackfillSettings) -> Iterable[str]:
    """Find what keeps the command from running, in a sentence each."""
    yield from kafka(settings)
    yield from doctor.traces(settings)
    yield from doctor.stripe(settings, settings)
    if not settings.protected and not settings.stripe_secret_key.get_secret_value().strip():
        yield "STRIPE_SECRET_KEY is not set: set a secret or restricted key of your Stripe account."


async def backfill(given: Namespace) -> int:
    """Publish the stretch and return the exit status; where it stopped, the last line printed says how to go on."""
    settings = prepare_process(BackfillSettings, service=NAME)
    refuse_unless_sound(list(findings(settings)))
    stretch = Stretch(given.since, given.until or datetime.now(UTC))
    key = settings.stripe_secret_key.get_secret_value()
    async with (
        httpx.AsyncClient() as client,
        BrokerConnection(connect_with(connection(settings), topic=STRIPE_EVENTS.name)) as broker,
    ):
        events = EventList(client, key=key, base=settings.stripe_api_base)
        run = Backfill(events=events, producer=broker, settings=settings, say=_say)
        try:
            total = await run.run(stretch, after=given.after)
        except (ListUnavailable, BrokerUnavailable) as error:
            print(f"stopped: {error}", file=sys.stderr)
            return 1
    _say(f"done: {total.total()} events listed. {COUNTED}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)
