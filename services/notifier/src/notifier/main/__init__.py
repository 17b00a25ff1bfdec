"""Reads the settings, and builds each process in a module of its own: it imports no more than it runs."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr

from chassis.logs import configure_logs
from chassis.settings import DatabaseSettings, ServiceSettings

NAME: Final = "notifier"
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


class Settings(ServiceSettings, DatabaseSettings):
    """What the notifier is told; the names are the environment's."""

    smtp_url: SecretStr = SecretStr("smtp://127.0.0.1:1025")
    mail_from: str = ""
    mail_locale: str = "en"
    smtp_timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    smtp_connections: int = Field(default=8, ge=1, le=50)


def read_settings() -> Settings:
    """The settings of the environment, with the log configured as they say."""
    settings = Settings()
    configure_logs(service=NAME, level=settings.log_level)
    return settings
