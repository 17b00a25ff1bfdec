"""Which news of a subscription counts, and which of several subscriptions is the workspace's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from purchases.subscriptions.plan import GRANTING

ENDED: Final = frozenset({"canceled", "incomplete_expired"})
"""Final at Stripe."""
OWING: Final = frozenset({"past_due", "unpaid"})
UNCONFIRMED: Final = "incomplete"
"""What Stripe begins with, until the first invoice is paid."""


class News(StrEnum):
    """What to do with an event's snapshot, given the one that is stored."""

    TAKE = "take"
    STALE = "stale"
    FETCH = "ask"
    """Two of one second: only Stripe knows which was last."""


def judge_news(*, status: str, event_at: datetime | None, new_status: str, new_at: datetime) -> News:
    """Judge an event's snapshot: newer wins; what has ended stays so, and an end is believed whenever it comes.

    `event_at` None: what is stored comes from hints only, and every snapshot knows more.
    """
    if status in ENDED:
        return News.STALE
    if new_status in ENDED or event_at is None or new_at > event_at:
        return News.TAKE
    return News.STALE if new_at < event_at else News.FETCH


def status_now(*, status: str, event_at: datetime | None, confirmed_at: datetime | None) -> str:
    """Return the snapshot's status with what was confirmed since: what was paid is active before its events come."""
    if status != UNCONFIRMED or confirmed_at is None:
        return status
    return "active" if event_at is None or confirmed_at >= event_at else status


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A subscription, as far as it matters which of several is the workspace's."""

    subscription_id: str
    status: str
    started_at: datetime


def in_order_of_keeping(subscriptions: Iterable[Running]) -> list[str]:
    """Return a workspace's subscriptions that have not ended, the one to keep first; the others should not be."""
    running = sorted((row for row in subscriptions if row.status not in ENDED), key=_rank)
    return [row.subscription_id for row in running]


def _rank(row: Running) -> tuple[int, datetime, str]:
    """Rank what is paid first, then what is owed, then the others; the older before the younger."""
    rank = 2 if row.status not in GRANTING else 1 if row.status in OWING else 0
    return rank, row.started_at, row.subscription_id
