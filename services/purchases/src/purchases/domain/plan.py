"""The plan as a function of the subscription, what its caps mean, and which news of a subscription counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

FREE: Final = "free"
BUILDER: Final = "builder"

GRANTING: Final = frozenset({"active", "trialing", "past_due", "unpaid"})
"""In these the workspace has what it pays for, or still owes: Stripe is collecting. `paused` is a trial that ended
without a card: nobody pays, and Stripe makes no invoices."""
ENDED: Final = frozenset({"canceled", "incomplete_expired"})
"""Final at Stripe."""
OWING: Final = frozenset({"past_due", "unpaid"})
UNCONFIRMED: Final = frozenset({"incomplete"})
"""What a completed Checkout, or a first invoice that is paid, has left behind."""


def plan_of(statuses: Iterable[str]) -> str:
    """The slug of the plan that subscriptions in these statuses buy."""
    return BUILDER if any(status in GRANTING for status in statuses) else FREE


class News(StrEnum):
    """What to do with a snapshot of a subscription, given the one that is stored."""

    TAKE = "take"
    STALE = "stale"
    ASK = "ask"
    """Two of one second: only Stripe knows which was last."""


def judge_news(*, status: str, told_at: datetime | None, new_status: str, new_at: datetime) -> News:
    """Newer wins; what has ended stays so, and the end itself is believed whenever it comes.

    `told_at` None: the stored row comes from hints only, so that every snapshot knows more.
    """
    if status in ENDED:
        return News.STALE
    if new_status in ENDED or told_at is None or new_at > told_at:
        return News.TAKE
    return News.STALE if new_at < told_at else News.ASK


def status_now(*, snapshot: str, told_at: datetime | None, confirmed_at: datetime | None) -> str:
    """The status with what was confirmed since: a Checkout that completed is active before its events have come."""
    if snapshot not in UNCONFIRMED or confirmed_at is None:
        return snapshot
    return "active" if told_at is None or confirmed_at >= told_at else snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A subscription, as far as it matters which of several is the workspace's."""

    subscription_id: str
    status: str
    started_at: datetime


def order_of_keeping(one: Running) -> tuple[int, datetime, str]:
    """The one that is paid first, then one that is owed, then the others; the older before the younger."""
    rank = 2 if one.status not in GRANTING else 1 if one.status in OWING else 0
    return rank, one.started_at, one.subscription_id


def extras(subscriptions: Iterable[Running]) -> list[str]:
    """Of a workspace's subscriptions those that should not be: all that have not ended but the one to keep."""
    running = sorted((one for one in subscriptions if one.status not in ENDED), key=order_of_keeping)
    return [one.subscription_id for one in running[1:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of a resource a workspace has; `limit` None for no cap."""

    resource: str
    used: int
    limit: int | None

    @property
    def over_cap(self) -> bool:
        """More than the plan allows, as after a downgrade: nothing is deleted, nothing can be added."""
        return self.limit is not None and self.used > self.limit

    @property
    def frozen(self) -> bool:
        """The plan allows none: what is there is kept, and not usable."""
        return self.limit == 0

    @property
    def full(self) -> bool:
        """Another claim is refused."""
        return self.limit is not None and self.used >= self.limit


Caps = Mapping[str, int | None]


def caps_of(plan: str, *, plans: Mapping[str, Caps]) -> dict[str, int | None]:
    """The caps of `plan` by resource. What only another plan names is not part of this one: its cap is 0."""
    others = {resource: 0 for caps in plans.values() for resource in caps}
    return others | dict(plans[plan])


def usages(caps: Caps, *, used: Mapping[str, int]) -> list[Usage]:
    """Every capped resource, and every one that is used all the same, in the order of their names."""
    resources = sorted({*caps, *(resource for resource, count in used.items() if count)})
    return [Usage(resource=one, used=used.get(one, 0), limit=caps.get(one, 0)) for one in resources]
