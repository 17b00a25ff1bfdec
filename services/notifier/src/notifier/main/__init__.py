"""Reads the settings, and builds each process in a module of its own: it imports no more than it runs."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr

from chassis.process.settings import DatabaseSettings, ServiceSettings
from chassis.process.startup import prepare_process

NAME: Final = "notifier"
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


class Settings(ServiceSettings, DatabaseSettings):
    """The notifier's settings; the names are the environment's."""

    smtp_url: SecretStr = SecretStr("smtp://127.0.0.1:1025")
    """The mail server: `smtp[s]://[user:password@]host[:port][?starttls=required|offered|never]`."""
    mail_from: str = ""
    """The sender of all mails."""
    mail_locale: str = "en"
    """How amounts and dates are written in mails."""
    smtp_timeout_seconds: float = Field(default=300.0, gt=0, le=600)
    """How long the mail server may take for one command; twice as long for its reply to a mail's end (RFC 5321)."""
    smtp_connections: int = Field(default=8, ge=1, le=50)
    """Connections to the mail server at once."""


def read_settings() -> Settings:
    """Return the settings of the environment, with the process prepared as they say."""
    return prepare_process(Settings, service=NAME)
