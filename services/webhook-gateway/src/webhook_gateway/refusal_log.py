"""One log line a while for each kind of refusal, with how many there were: a flood of requests is no flood of logs."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from chassis.logs import get_logger
from webhook_gateway.outcomes import Outcome

log = get_logger(__name__)

EVERY_SECONDS: Final = 10.0
QUIET: Final = frozenset(
    {Outcome.PUBLISHED, Outcome.UNHANDLED, Outcome.DASHBOARD_TEST, Outcome.THIN, Outcome.SENDER_GONE}
)
OURS: Final = frozenset({Outcome.BROKER_UNAVAILABLE, Outcome.NO_SECRET})
"""Faults of this deployment, not of the sender: logged as errors."""


class RefusalLog:
    """Notes outcomes; never a body, a header or a secret."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[Outcome, float] = {}
        self._held: Counter[Outcome] = Counter()

    def note(self, outcome: Outcome, *, event_type: str, event_id: str | None = None) -> None:
        """Log the first of its kind at once, and the next after EVERY_SECONDS with the number held back."""
        if outcome in QUIET:
            return
        now = self._clock()
        if now < self._next.get(outcome, now):
            self._held[outcome] += 1
            return
        self._next[outcome] = now + EVERY_SECONDS
        say = log.error if outcome in OURS else log.warning
        more = self._held.pop(outcome, 0)
        say("webhook_outcome", outcome=outcome.value, event_type=event_type, event_id=event_id, more=more)
