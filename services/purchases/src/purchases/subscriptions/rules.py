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
    """What to do with a snapshot that an event told, given the one that is stored."""

    TAKE = "take"
    STALE = "stale"
    ASK = "ask"
    """Two of one second: only Stripe knows which was last."""


def judge_news(*, status: str, event_at: datetime | None, new_status: str, new_at: datetime) -> News:
    """Newer wins; what has ended stays so, and an end is believed whenever it comes.

    `told_at` None: what is stored comes from hints only, and every snapshot knows more.
    """
    if status in ENDED:
        return News.STALE
    if new_status in ENDED or event_at is None or new_at > event_at:
        return News.TAKE
    return News.STALE if new_at < event_at else News.ASK


def status_now(*, status: str, event_at: datetime | None, confirmed_at: datetime | None) -> str:
    """The snapshot's status with what was confirmed since: what was paid for is active before its events have come."""
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
    """A workspace's subscriptions that have not ended, the one to keep first; the others should not be."""
    running = sorted((one for one in subscriptions if one.status not in ENDED), key=_rank)
    return [one.subscription_id for one in running]


def _rank(one: Running) -> tuple[int, datetime, str]:
    """What is paid first, then what is owed, then the others; the older before the younger."""
    rank = 2 if one.status not in GRANTING else 1 if one.status in OWING else 0
    return rank, one.started_at, one.subscription_id
