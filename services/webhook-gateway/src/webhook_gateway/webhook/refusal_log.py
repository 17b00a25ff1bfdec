"""One log line a while for each kind of refusal, with how many there were: a flood of requests is no flood of logs."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from starlette.types import Scope

from chassis.process.logs import get_logger
from chassis.web.refused import address_of
from webhook_gateway.outcomes import Outcome

log = get_logger(__name__)

EVERY_SECONDS: Final = 10.0
QUIET: Final = frozenset({Outcome.PUBLISHED, Outcome.UNHANDLED, Outcome.DASHBOARD_TEST, Outcome.SENDER_GONE})
OURS: Final = frozenset({Outcome.BROKER_UNAVAILABLE, Outcome.NO_SECRET, Outcome.OTHER_ACCOUNT, Outcome.WRONG_MODE})
"""Faults of this deployment or of its endpoint at Stripe, not of the sender: logged as errors."""

UNCHECKED: Final = "event_of_unchecked_account"
THIN_REMEDY: Final = "the endpoint sends thin events, which show no object: have it send snapshot payloads"
"""Source: https://docs.stripe.com/event-destinations#thin-events."""
REMEDY: Final = "set STRIPE_ACCOUNT_ID to the account whose events these are"


class RefusalLog:
    """Notes outcomes; never a body, a header or a secret."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}
        self._held: Counter[str] = Counter()

    def note(
        self,
        outcome: Outcome,
        *,
        event_type: str,
        event_id: str | None = None,
        account: str | None = None,
        scope: Scope | None = None,
    ) -> None:
        """Log the first of its kind at once, and the next after EVERY_SECONDS with the number held back.

        Of the other mode each is logged: Stripe does not send it again, and its id is all that is left of it.
        `scope` is the request's that was refused: the line says from where it came.
        """
        if outcome in QUIET or (more := self._due(outcome)) is None:
            return
        say = log.error if outcome in OURS else log.warning
        about = {"event_type": event_type, "event_id": event_id, "more": more, **(address_of(scope) if scope else {})}
        if outcome is Outcome.OTHER_ACCOUNT:
            about["account"] = account
        if outcome is Outcome.THIN:
            about["remedy"] = THIN_REMEDY
        say("webhook_outcome", outcome=outcome.value, **about)

    def note_unchecked(self, *, event_type: str, event_id: str, account: str | None) -> None:
        """Warn, as often, that an event was taken whose account is not configured."""
        if (more := self._due(UNCHECKED)) is not None:
            log.warning(UNCHECKED, event_type=event_type, event_id=event_id, account=account, remedy=REMEDY, more=more)

    def _due(self, kind: str) -> int | None:
        """Return how many were held back since the last of this kind; None while it is too early for another."""
        now = self._clock()
        if kind == Outcome.WRONG_MODE:
            return 0
        if now < self._next.get(kind, now):
            self._held[kind] += 1
            return None
        self._next[kind] = now + EVERY_SECONDS
        return self._held.pop(kind, 0)
