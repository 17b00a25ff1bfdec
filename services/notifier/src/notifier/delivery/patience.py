"""How long the mail server may take, and how many connections may wait longest."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

from aiosmtplib import SMTPReadTimeoutError

USUAL_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for each step, in the proportions of RFC 5321 §4.5.3.2: five minutes for a command, ten for the end."""

    command: float

    @property
    def data(self) -> float:
        """Return how long the reply to DATA may take: two minutes."""
        return self.command * 2 / 5

    @property
    def end(self) -> float:
        """Return how long the reply to a mail's final dot may take: ten minutes."""
        return self.command * 2

    @property
    def usual(self) -> float:
        """Return after how long that wait is a long one: half a minute, where we are patient."""
        return min(USUAL_SECONDS, self.command)


@dataclass(slots=True)
class LongWaits:
    """How many more connections may wait long for the reply to a mail: the others are kept for mails that get one."""

    free: int

    @classmethod
    def of(cls, connections: int) -> Self:
        """Return a quarter of `connections`, and one at least."""
        return cls(max(1, connections // 4))

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have one of them until the block is left. Raises SMTPReadTimeoutError where none is free."""
        if not self.free:
            raise SMTPReadTimeoutError("no reply yet, and too many connections wait for theirs")
        self.free -= 1
        try:
            yield
        finally:
            self.free += 1
