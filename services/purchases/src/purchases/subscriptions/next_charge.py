"""What a subscription is charged next, as far as Stripe says: when and how much, or why nothing is. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from purchases.stripe_api.values import Preview
from purchases.subscriptions.rules import ENDED, UNCONFIRMED


class WhyNone(StrEnum):
    """Why nothing more is charged by itself."""

    ENDED = "ended"
    ENDS = "ends"
    """It is cancelled before another period begins."""
    PAUSED = "paused"
    NOT_PAID_YET = "not-paid-yet"
    """Its first payment has not come through."""
    UNPAID = "unpaid"
    """Stripe has given up collecting: it makes drafts, which nobody is charged for."""
    NOTHING_DUE = "nothing-due"
    """Stripe will make no invoice, and does not say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What of a subscription decides whether it is charged."""

    status: str
    ends_at: datetime | None
    is_paused: bool
    resumes_at: datetime | None


STATES: Final = {UNCONFIRMED: WhyNone.NOT_PAID_YET, "paused": WhyNone.PAUSED, "unpaid": WhyNone.UNPAID}


def known_to_be_none(terms: Terms) -> WhyNone | None:
    """Return why nothing is charged where the subscription itself says so, and needs no preview; else None."""
    if terms.status in ENDED:
        return WhyNone.ENDED
    if terms.is_paused and terms.resumes_at is None:
        return WhyNone.PAUSED
    return STATES.get(terms.status)


def judge_preview(terms: Terms, preview: Preview | None) -> Preview | WhyNone:
    """Return what is charged next, or why nothing is; `preview` None: Stripe will make no invoice."""
    why = known_to_be_none(terms)
    if why is not None:
        return why
    if preview is None:
        return WhyNone.ENDS if terms.ends_at is not None else WhyNone.NOTHING_DUE
    if terms.is_paused and terms.resumes_at is not None and preview.at < terms.resumes_at:
        return WhyNone.PAUSED
    return preview
