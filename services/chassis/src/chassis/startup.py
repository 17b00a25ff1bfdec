"""What each process does with its settings before anything else."""

from typing import TypeVar

from chassis import killpoints
from chassis.logs import configure_logs
from chassis.settings import ServiceSettings

Told = TypeVar("Told", bound=ServiceSettings)


def prepare_process(settings: Told, *, service: str) -> Told:
    """Configure the log as `settings` say, arm the kill point of a fault test, and return `settings`."""
    configure_logs(service=service, level=settings.log_level)
    killpoints.arm("" if settings.protected else settings.kill_at)
    return settings
