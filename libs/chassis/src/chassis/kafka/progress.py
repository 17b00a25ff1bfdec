"""Whether a consumer gets on: when its loop last ran, and since when records wait and none is applied.

A consumer that stands still says so, in the log, the gauge and /readyz, and is not restarted for it: the same record
would wait for the next process.
"""

import time
from collections.abc import Callable
from typing import Final

from chassis.process import metrics
from chassis.process.logs import get_logger

log = get_logger(__name__)

STALL_SECONDS: Final = 60.0
LOOP_SECONDS: Final = 120.0


class Progress:
    """Of one consumer; a batch is begun and applied, between batches the lag says whether records wait."""

    def __init__(self, group: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._group = group
        self._clock = clock
        self._turned = clock()
        self._since: float | None = None
        self._waits_for = ""
        self._busy = False
        self._said = False

    def turned(self) -> None:
        """Note that the loop runs."""
        self._turned = self._clock()

    def anew(self) -> None:
        """Begin the reading again, with no batch at hand: one that was cut off comes again. A stall stays one."""
        self._busy = False
        self.turned()

    def begun(self, place: str) -> None:
        """Note the batch at hand, whose first record lies at `place`."""
        self._busy = True
        self._wait(place)

    def applied(self) -> None:
        """Note that the batch at hand is done."""
        self._busy = False
        self._get_on()

    def lags(self, records: int) -> None:
        """So many records lie behind our position; those of a batch at hand are not among them."""
        if self._busy:
            return
        if records:
            self._wait("records that are not fetched")
        else:
            self._get_on()

    @property
    def loop_is_late(self) -> bool:
        """Whether the loop has not run for LOOP_SECONDS."""
        return self._clock() - self._turned > LOOP_SECONDS

    @property
    def stalled_seconds(self) -> float:
        """For how long records wait and none is applied."""
        return 0.0 if self._since is None else self._clock() - self._since

    def gets_on(self) -> bool:
        """Return whether that is shorter than STALL_SECONDS; says so once when it is not."""
        seconds = self.stalled_seconds
        metrics.CONSUMER_STALLED.labels(self._group).set(seconds)
        if seconds < STALL_SECONDS:
            return True
        if not self._said:
            self._said = True
            metrics.CONSUMER_STALLS.labels(self._group).inc()
            log.error("consumer_stalled", consumer=self._group, seconds=round(seconds), at=self._waits_for)
        return False

    def _wait(self, place: str) -> None:
        self._waits_for = place
        if self._since is None:
            self._since = self._clock()

    def _get_on(self) -> None:
        if self._said:
            log.info("consumer_gets_on", consumer=self._group)
        self._since, self._said = None, False
