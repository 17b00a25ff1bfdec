"""FATES: what becomes of a batch whose handling raised. Retry policy is here, never in a `try` of a handler."""

import asyncio
from collections.abc import Mapping
from enum import Enum
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chassis.database import sqlstate


class Fate(Enum):
    """RETRY: the fault passes, wait and try again. PARK: it stays; find the record and set it aside."""

    RETRY = "retry"
    PARK = "park"


class TryAgain(Exception):  # noqa: N818 - named for what it asks
    """Raised by a handler that saw the world change under it: the same batch, again."""


Fates = Mapping[type[BaseException], Fate]

FATES: Final[Fates] = {
    TryAgain: Fate.RETRY,
    OSError: Fate.RETRY,
    TimeoutError: Fate.RETRY,
    asyncio.TimeoutError: Fate.RETRY,
    PoolTimeoutError: Fate.RETRY,
    asyncpg.InterfaceError: Fate.RETRY,
}
"""What is not listed parks. A service may add rows; database errors go by their SQLSTATE."""

PASSING_STATES: Final = ("08", "40", "53", "55", "57", "58")
"""Connection lost, serialization or deadlock (40P01), out of resources, lock not available, shut down, I/O."""


def fate_of(error: BaseException, fates: Fates = FATES) -> Fate:
    """The fate of the batch that `error` stopped."""
    for kind in type(error).__mro__:
        if kind in fates:
            return fates[kind]
    if isinstance(error, DBAPIError | asyncpg.PostgresError):
        return _fate_of_database_error(error)
    return Fate.PARK


TOO_MUCH_STATES: Final = ("53200", "57014")
"""No room in the lock table, or in memory; a statement that took longer than it may."""


def is_too_much(error: BaseException) -> bool:
    """Return whether less at a time may succeed where `error` was raised: such a batch is halved, and not repeated."""
    return sqlstate(error) in TOO_MUCH_STATES


AWAY: Final = (DBAPIError, PoolTimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)


def is_outage(error: BaseException) -> bool:
    """Whether a request failed because the database is away for a while, and not because it was wrong."""
    return isinstance(error, AWAY) and fate_of(error) is Fate.RETRY


def _fate_of_database_error(error: BaseException) -> Fate:
    state = sqlstate(error)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    passing = lost or state is None or state.startswith(PASSING_STATES)
    return Fate.RETRY if passing else Fate.PARK
