"""What a job or a request works with that calls Stripe, how a job may end, and how its tries there are numbered."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from stripe import StripeClient

from chassis.database.database import Database
from chassis.kafka.records import Received
from purchases.jobs.kinds import Numbered
from purchases.jobs.store import Task, next_attempt
from purchases.stripe_api.client import OutcomeUnknown

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeContext:
    """Our database, Stripe, and which instance of the product we are there."""

    database: Database
    client: StripeClient
    instance: str


ApplyFacts = Callable[[AsyncSession, Sequence[Received]], Awaitable[None]]
"""Applies facts, in their order, in the caller's transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext(StripeContext):
    """Of the worker, which also applies what it fetched from Stripe, as it applies Stripe's events."""

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


async def number_tries(context: StripeContext, task: Task[Numbered], call: Awaitable[AnswerT]) -> AnswerT:
    """Return the answer to `call`, whose idempotency key has the job's attempt in it. Raises what the call raises.

    The number grows only when Stripe has answered 5xx, which it repeats for ever under the old one.
    """
    try:
        return await call
    except OutcomeUnknown as error:
        if error.stored:
            async with context.database.transaction() as session:
                await next_attempt(session, task)
        raise
