"""Named points of the path at which a fault test ends the process, as a power cut would: SIGKILL, no clean-up.

`KILL_AT=relay.between-ack-and-delete` kills at the first time that the point is reached, `KILL_AT=…:3` at the third.
Outside `APP_ENV=local|testing` the variable is ignored.
"""

import os
import signal
from collections.abc import Mapping
from typing import Final


class KillPoint:
    """Counts down to the one point that the environment names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        wanted = environ.get("KILL_AT", "") if environ.get("APP_ENV", "local") in {"local", "testing"} else ""
        self.name, _, nth = wanted.partition(":")
        self.left = int(nth or 1)

    def reached(self, name: str) -> None:
        """Die here if this is the named point and its time has come."""
        if name != self.name:
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


_POINT: Final = KillPoint(os.environ)
reached: Final = _POINT.reached
