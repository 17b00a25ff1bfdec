"""What every command to Stripe works with, and how it may end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession
from stripe import StripeClient

from chassis.database.database import Database
from chassis.kafka.records import Received


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeDesk:
    """Where the worker carries commands out."""

    database: Database
    client: StripeClient
    instance: str


ApplyFacts = Callable[[AsyncSession, Sequence[Received]], Awaitable[None]]
"""Applies facts, in their order, in the caller's transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDesk(StripeDesk):
    """Of the worker, which also applies what a look at Stripe found, as it applies Stripe's events."""

    apply: ApplyFacts


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not over: look again in `due_in`."""

    due_in: timedelta


Result = Done | Later
DONE: Final = Done()
