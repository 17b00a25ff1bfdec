"""The relay as a process of its own; the worker's own rests where `RELAY` is `apart`."""

from typing import Final

from chassis.database.database import Database
from chassis.outbox.relay import Relay
from chassis.process.process import run_process
from chassis.process.startup import refuse_unless_sound
from chassis.web.server import ops_server
from purchases.main import read_settings
from purchases.main.doctor import health_of_relay, of_relay
from purchases.restored.numbered import KEEPS, LEDGER

NAME: Final = "purchases-relay"


async def relay() -> None:
    """Send what is in the outbox until the process is stopped, or stand by while another process does."""
    settings = read_settings(NAME)
    refuse_unless_sound(list(of_relay(settings)))
    database = Database(settings.database_url, name=NAME)
    health = health_of_relay(settings, database)
    await run_process(
        Relay(database=database, settings=settings, health=health, ledger=LEDGER, keeps=KEEPS).running(),
        foundations=(database, ops_server(health, settings)),
        health=health,
    )
