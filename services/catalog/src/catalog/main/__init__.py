"""Reads the settings, and builds each process in a module of its own: it imports no more than it runs."""

from pathlib import Path
from typing import Final

from chassis.process.settings import DatabaseSettings, OutboxSettings, ServiceSettings, StripeSettings
from chassis.process.startup import prepare_process

NAME: Final = "catalog"
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


class Settings(ServiceSettings, DatabaseSettings, OutboxSettings, StripeSettings):
    """The catalog's settings; the names are the environment's. Only `bootstrap-stripe` needs Stripe's."""

    stripe_webhook_url: str | None = None
    """Where `bootstrap-stripe` has Stripe send webhooks; without it the endpoint is left alone."""


def read_settings(process: str = NAME) -> Settings:
    """Return the settings of the environment, with the process prepared as they say."""
    return prepare_process(Settings, service=process)
