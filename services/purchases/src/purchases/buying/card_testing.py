"""Card testing: a workspace whose cards were declined too often has to wait; when many are, strangers wait longer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from purchases.checkout import store as checkouts
from purchases.ledger import store as ledger

DECLINES_ALLOWED: Final = 5
DECLINES_WITHIN: Final = timedelta(minutes=10)
BRAKED_WITHIN: Final = timedelta(hours=1)
"""Under the brake a workspace that we do not know from earlier has one decline in this time."""
BRAKE: Final = Gauge(
    "billing_card_testing_brake",
    "1 while declines of all workspaces slow unknown ones down (max by: replicas share the table).",
)
DECLINES: Final = Gauge(
    "billing_card_declines",
    "Declines of all workspaces in the last ten minutes, as the brake counts them (max by: replicas share the table).",
)


@dataclass(frozen=True, slots=True)
class Brake:
    """On from so many declines of all workspaces in ten minutes."""

    declines: int = 100


USUAL: Final = Brake()


async def refusal(session: AsyncSession, *, workspace_id: str, now: datetime, brake: Brake = USUAL) -> Problem | None:
    """Return what an attempt to pay would meet now; None for a workspace that may buy.

    Attempts under way count as declines, since each may be one: exact under the workspace's lock. `Retry-After` is a
    second where only they are in the way.
    """
    allowed, within = DECLINES_ALLOWED, DECLINES_WITHIN
    if await is_on(session, brake, now=now) and not await _is_known(session, workspace_id):
        allowed, within = 0, BRAKED_WITHIN
    declines = await ledger.declines_since(session, workspace_id=workspace_id, since=now - within)
    if len(declines) > allowed:
        return too_many_declines(retry_at=declines[len(declines) - allowed - 1] + within, now=now)
    under_way = await ledger.attempts_under_way(session, workspace_id=workspace_id)
    return others_under_way() if under_way and len(declines) + under_way > allowed else None


async def is_on(session: AsyncSession, brake: Brake, *, now: datetime) -> bool:
    """Return whether the brake over all workspaces is on, and set its gauges."""
    seen = await ledger.declines_of_all(session, since=now - DECLINES_WITHIN, at_most=brake.declines)
    DECLINES.set(seen)
    BRAKE.set(seen >= brake.declines)
    return seen >= brake.declines


async def _is_known(session: AsyncSession, workspace_id: str) -> bool:
    """Return whether it has paid before, or has a subscription that runs: the brake is not for it."""
    if await ledger.has_paid(session, workspace_id):
        return True
    return await checkouts.runs_a_subscription(session, workspace_id)


def too_many_declines(*, retry_at: datetime, now: datetime) -> Problem:
    """Return a 429: one workspace, many declines."""
    seconds = max(1, int((retry_at - now).total_seconds()) + 1)
    return Problem(
        429,
        "too-many-declines",
        "Too many cards were declined",
        "Nothing was charged. Try again later.",
        retry_after=seconds,
    )


def others_under_way() -> Problem:
    """Return a 429: the attempts under way could all be declined; they end in seconds."""
    return Problem(
        429,
        "too-many-declines",
        "Other attempts to pay are still under way",
        "Nothing was charged. Try again in a second.",
        retry_after=1,
    )
