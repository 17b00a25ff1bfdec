"""The account's time, and each customer's own: as fast as everybody's, but it can be put forward."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Clock:
    """Seconds that the account, and a customer beyond it, are ahead of real time."""

    ahead: int = 0
    customers: dict[str, int] = field(default_factory=dict)
    _held: int | None = None

    def now(self, customer: str | None = None) -> int:
        """Unix time, in whole seconds as all of Stripe's times."""
        if self._held is not None:
            return self._held
        return int(time.time()) + self.ahead + self.customers.get(customer or "", 0)

    @contextmanager
    def held_at(self, moment: int) -> Iterator[None]:
        """Stand still at `moment` for whatever is done inside, which must not wait for anything."""
        before, self._held = self._held, moment
        try:
            yield
        finally:
            self._held = before

    def put_forward(self, *, customer: str | None, to: int) -> None:
        """Let it be `to` now, for one customer or for all."""
        seconds = to - self.now(customer)
        if customer:
            self.customers[customer] = self.customers.get(customer, 0) + seconds
        else:
            self.ahead += seconds

    def reset(self) -> None:
        """Back to real time."""
        self.ahead = 0
        self.customers.clear()
