"""Reads the settings, and builds each process in a module of its own: it imports no more than it runs."""

from pathlib import Path
from typing import Final

from chassis.logs import configure_logs
from purchases.settings import Settings

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


def read_settings(process: str) -> Settings:
    """The settings of the environment, with the log configured as they say."""
    settings = Settings()
    configure_logs(service=process, level=settings.log_level)
    return settings
