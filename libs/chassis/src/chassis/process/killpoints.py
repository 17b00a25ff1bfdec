"""Named points of the path at which a fault test ends the process, as a power cut would: SIGKILL, no clean-up.

`KILL_AT=relay.between-ack-and-delete` kills at the first time that the point is reached, `KILL_AT=…:3` at the third.
A protected deployment arms none, whatever the variable says (`chassis.process.startup`).
"""

import os
import signal
from typing import Final


class KillPoint:
    """Counts down to the one point that it was armed with."""

    def __init__(self) -> None:
        self.name = ""
        self.left = 1

    def arm(self, wanted: str) -> None:
        """Take the point to die at, as `name` or `name:nth`; the empty one is none. Raises ValueError for another."""
        self.name, _, nth = wanted.partition(":")
        self.left = int(nth or 1)

    def reached(self, name: str) -> None:
        """Die here if this is the named point and its time has come."""
        if name != self.name:
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


_POINT: Final = KillPoint()
arm: Final = _POINT.arm
reached: Final = _POINT.reached
