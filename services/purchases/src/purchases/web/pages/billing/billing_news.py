"""News that stand above everything else on the billing page: how an upgrade went, or that changes are on their way."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from purchases.checkout.upgrade_begun import Begun, Stage

SOON: Final = 60
"""Seconds in which Stripe's word normally comes."""


class News(StrEnum):
    """Each is a notice of `billing_news.html`."""

    CONFIRMING = "confirming"
    LATE = "late"
    """Stripe's word is awaited for longer than usual."""
    WELCOME = "welcome"
    AT_THE_BANK = "at_the_bank"
    """A bank is at work on a debit, for days."""
    REFUSED = "refused"
    """The bank did not pay."""
    EXPIRED = "expired"
    OPEN = "open"
    """An upgrade was begun, and can be gone on with."""
    BACK = "back"
    """From the portal: what was done there will show."""


AWAITED: Final = frozenset({News.CONFIRMING, News.LATE, News.AT_THE_BANK})
"""While these stand nothing is sold: it may have been paid."""
LIVE: Final = frozenset({News.CONFIRMING, News.LATE, News.BACK})
"""While these stand, the page asks for itself again, for some minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """From where somebody comes back, and since when; seconds."""

    checkout: bool
    portal: bool
    since: int
    now: int

    @property
    def waited(self) -> int:
        return self.now - self.since

    @property
    def is_late(self) -> bool:
        return self.waited >= SOON


def news_of(begun: Begun | None, back: Back, *, may_go_on: bool) -> News | None:
    """Return what stands above the page, if anything; `may_go_on`: the owner looks, and no subscription runs."""
    stage = begun.stage if begun else None
    if stage is Stage.CONFIRMING or (stage is Stage.OPEN and back.checkout):
        return News.LATE if back.is_late else News.CONFIRMING
    if stage is Stage.AT_THE_BANK:
        return News.AT_THE_BANK
    if stage is Stage.REFUSED:
        return News.REFUSED
    if back.checkout and stage is Stage.DONE:
        return News.WELCOME
    if back.checkout and stage is Stage.EXPIRED:
        return News.EXPIRED
    if begun is not None and may_go_on and _can_be_paid(begun):
        return News.OPEN
    return News.BACK if back.portal and not back.is_late else None


def _can_be_paid(begun: Begun) -> bool:
    checkout = begun.checkout
    return begun.stage is Stage.OPEN and checkout.url is not None and checkout.expires_at > datetime.now(UTC)
