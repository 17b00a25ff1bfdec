"""The plan as a function of the subscription, and what its caps mean for a claim."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

FREE: Final = "free"
BUILDER: Final = "builder"

GRANTING: Final = frozenset({"active", "trialing", "past_due", "unpaid"})
"""In these the workspace has what it pays for, or still owes: Stripe is collecting. `paused` is a trial that ended
without a card: nobody pays, and Stripe makes no invoices."""


def plan_of(statuses: Iterable[str]) -> str:
    """Return the slug of the plan that subscriptions in these statuses buy."""
    return BUILDER if any(status in GRANTING for status in statuses) else FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of a resource a workspace has; `limit` None for no cap."""

    resource: str
    used: int
    limit: int | None

    @property
    def over_cap(self) -> bool:
        """Return whether it is over the plan's cap, as after a downgrade: nothing is deleted, nothing can be added."""
        return self.limit is not None and self.used > self.limit

    @property
    def frozen(self) -> bool:
        """Return whether the plan allows none: what is there is kept, and not usable."""
        return self.limit == 0

    @property
    def full(self) -> bool:
        """Return whether another claim is refused."""
        return self.limit is not None and self.used >= self.limit


Caps = Mapping[str, int | None]


def caps_of(plan: str, *, plans: Mapping[str, Caps]) -> dict[str, int | None]:
    """Return the caps of `plan` by resource. What only another plan names is not part of this one: its cap is 0."""
    others = {resource: 0 for caps in plans.values() for resource in caps}
    return others | dict(plans[plan])


def usages(caps: Caps, *, used: Mapping[str, int]) -> list[Usage]:
    """List every capped resource, and every one that is used all the same, in the order of their names."""
    resources = sorted({*caps, *(resource for resource, count in used.items() if count)})
    return [Usage(resource=name, used=used.get(name, 0), limit=caps.get(name, 0)) for name in resources]
