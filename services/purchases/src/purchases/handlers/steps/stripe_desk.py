"""What every command to Stripe works with, and how it may end."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from stripe import StripeClient

from chassis.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeDesk:
    """Where the worker carries commands out."""

    database: Database
    client: StripeClient
    instance: str


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not over: look again in `due_in`."""

    due_in: timedelta


Result = Done | Later
DONE: Final = Done()
