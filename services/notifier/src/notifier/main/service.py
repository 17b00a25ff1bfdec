"""The service: consumer and sender in one process."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from typing import Any

from chassis.consumer import Consumer
from chassis.database import Database
from chassis.health import Health, ops_app
from chassis.process import background, run_process
from chassis.pruning import keep_pruned, parked_of
from chassis.server import HttpServer
from chassis.startup import refuse_unless_sound
from notifier.consumer import FATES, GROUP, TOPICS, queue_mails
from notifier.housekeeping import keep_house
from notifier.main import NAME, Settings, read_settings
from notifier.main.doctor import findings, health_of
from notifier.main.mail_settings import mailer
from notifier.sender import Sender


def parts(*, settings: Settings, database: Database, health: Health) -> tuple[AbstractAsyncContextManager[Any], ...]:
    """What runs, in the order of starting: who sends is there before who queues."""
    kept = timedelta(days=settings.parked_kept_days)
    sender = Sender(database=database, mailer=mailer(settings), health=health, connections=settings.smtp_connections)
    consumer = Consumer(
        topics=TOPICS,
        group=GROUP,
        database=database,
        handle=partial(queue_mails, wake=sender.wake),
        settings=settings,
        health=health,
        fates=FATES,
    )
    return (
        background("housekeeping", lambda: keep_house(database)),
        background("pruning", lambda: keep_pruned(database, parked_of(GROUP), kept=kept)),
        sender.running(),
        consumer.running(),
    )


async def serve() -> None:
    """Consumer, sender and operations port in one process, until it is told to stop."""
    settings = read_settings()
    refuse_unless_sound(list(findings(settings)))
    database = Database(settings.database_url, name=NAME)
    health = health_of(settings, database)
    await run_process(
        database,
        HttpServer(ops_app(health), settings.http_host, settings.ops_port, name="ops", protected=settings.protected),
        *parts(settings=settings, database=database, health=health),
        health=health,
    )
