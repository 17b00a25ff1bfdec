"""FATES: what becomes of a batch whose handling raised. Retry policy is here, never in a `try` of a handler."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chassis.process.faults import Fault, fault_of, sqlstate, through_a_driver


class Fate(Enum):
    """RETRY: the fault passes, wait and try again. PARK: it stays; find the record and set it aside."""

    RETRY = "retry"
    PARK = "park"


class TryAgain(Exception):  # noqa: N818 - named for what it asks
    """Raised by a handler that saw the world change under it: the same batch, again."""


Fates = Mapping[type[BaseException], Fate]

FATES: Final[Fates] = {TryAgain: Fate.RETRY}
"""A service may add rows. What is not listed goes by whose fault it is (`process.faults`): the record's parks."""


def fate_of(error: BaseException, fates: Fates = FATES) -> Fate:
    """Return the fate of the batch that `error` stopped."""
    for kind in type(error).__mro__:
        if kind in fates:
            return fates[kind]
    return Fate.PARK if fault_of(error) is Fault.RECORD else Fate.RETRY


TOO_MUCH_STATES: Final = ("53200", "57014")
"""No room in the lock table, or in memory; a statement that took longer than it may."""


def is_too_much(error: BaseException) -> bool:
    """Return whether less at a time may succeed where `error` was raised: such a batch is halved, and not repeated."""
    return sqlstate(error) in TOO_MUCH_STATES


AWAY: Final = (DBAPIError, PoolTimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def is_outage(error: BaseException) -> bool:
    """Return whether a request failed because a part is away for a while, and not because it was wrong, or we are."""
    carried = isinstance(error, AWAY) or through_a_driver(error)
    return carried and fate_of(error) is Fate.RETRY
