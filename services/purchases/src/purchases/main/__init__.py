"""Reads the settings, and builds each process in a module of its own: it imports no more than it runs."""

from pathlib import Path
from typing import Final

from chassis.process.startup import prepare_process
from purchases.settings import Settings

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


def read_settings(process: str) -> Settings:
    """Return the settings of the environment, with the process prepared as they say."""
    return prepare_process(Settings, service=process)
