"""The worker process: consumer, relay, jobs at Stripe."""

from datetime import timedelta
from functools import partial
from typing import Final

from chassis.database.database import Database
from chassis.outbox.consumer import Consumer
from chassis.outbox.pruning import keep_pruned
from chassis.outbox.relay import Relay
from chassis.process.process import background, run_process
from chassis.process.startup import refuse_unless_sound
from chassis.recovery.read_back import keep_read_back
from chassis.web.server import ops_server
from purchases.batch.context import CONSUMER, Pages, keep_names
from purchases.buying.card_testing import Brake
from purchases.jobs.stripe_context import WorkerContext
from purchases.main import read_settings
from purchases.main.doctor import USED_BY_WORKER, health_of_worker, of_worker
from purchases.reconcile.silence import SilenceAlarm
from purchases.restored.numbered import KEEPS, LEDGER
from purchases.restored.read_back import read_back
from purchases.stripe_api.client import stripe_client
from purchases.stripe_api.events import newest_events
from purchases.worker.events import apply_facts
from purchases.worker.pruned import PRUNES
from purchases.worker.run_jobs import JobsLoop

NAME: Final = "purchases-worker"


async def work() -> None:
    """Run the worker until the process is stopped."""
    settings = read_settings(NAME)
    refuse_unless_sound(list(of_worker(settings)))
    database = Database(settings.database_url, name=NAME)
    health = health_of_worker(settings, database)
    client = stripe_client(secret_key=settings.stripe_secret_key.get_secret_value(), api_base=settings.stripe_api_base)
    kept = timedelta(days=settings.parked_kept_days)
    instance = settings.quittance_instance
    apply = partial(apply_facts, instance=instance, pages=Pages(settings.public_base_url))
    context = WorkerContext(database=database, client=client, instance=instance, apply=apply)
    mend = partial(read_back, context=context, settings=settings)
    consumer = Consumer(
        topics=USED_BY_WORKER.reads,
        group=CONSUMER,
        database=database,
        handle=apply,
        settings=settings,
        health=health,
        note=keep_names,
    )
    alarm = SilenceAlarm(database=database, instance=instance, newest=partial(newest_events, client), health=health)
    await run_process(
        Relay(database=database, settings=settings, health=health, ledger=LEDGER, keeps=KEEPS).beside_a_service(
            settings.relay
        ),
        JobsLoop(context=context, health=health, brake=Brake(settings.brake_declines)).running(),
        background("read-back", lambda: keep_read_back(database, mend, health=health)),
        background("silence-alarm", alarm.watch),
        background("pruning", lambda: keep_pruned(database, PRUNES, kept=kept, health=health)),
        consumer.running(),
        foundations=(database, ops_server(health, settings)),
        health=health,
    )
