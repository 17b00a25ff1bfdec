"""What a loop says when it meets a fault and backs off: a line in the log, and a count that can be alerted on."""

from typing import Final

from chassis.process import metrics
from chassis.process.faults import Fault, fault_of
from chassis.process.logs import get_logger
from chassis.texts import printable

log = get_logger(__name__)

MAX_TEXT: Final = 500


def counts_back_offs(*loops: str) -> None:
    """Export a 0 for each of `loops` and each fault: `increase()` misses what makes its series."""
    for loop in loops:
        for fault in Fault:
            metrics.LOOP_BACKOFFS.labels(loop, fault.value)


def backs_off(loop: str, error: BaseException, **about: object) -> None:
    """Say that `loop` met `error`, and will try again after a while."""
    fault = fault_of(error).value
    metrics.LOOP_BACKOFFS.labels(loop, fault).inc()
    log.warning("loop_backs_off", loop=loop, fault=fault, error=printable(repr(error))[:MAX_TEXT], **about)
