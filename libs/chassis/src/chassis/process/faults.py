"""FAULTS: whose fault an error is, by SQLSTATE and by the driver's exception.

Only what is surely the record's is ever set aside. What no row names is the connection's: a driver that raises outside
its documented tree has met something that passes, until the same work has failed often while everything answered.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from types import TracebackType
from typing import Any, Final

import asyncpg
import httpx
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Fault(Enum):
    """Whose fault it is, that is to say what helps."""

    RECORD = "record"
    """Nothing: the same record fails again, whoever applies it."""
    CONNECTION = "connection"
    """A new session, perhaps with another server; the old one is thrown away."""
    DEPLOYMENT = "deployment"
    """Somebody who mends the role, the schema or the settings, or ends the rollout; until then everything waits."""
    CONTENTION = "contention"
    """The same again, on the same session: others were in the way."""


SQLSTATES: Final[Mapping[str, Fault]] = {
    "08": Fault.CONNECTION,  # connection exception
    "0A": Fault.DEPLOYMENT,  # a cached plan that a migration made invalid
    "21": Fault.RECORD,  # cardinality violation
    "22": Fault.RECORD,  # data exception: NUL, out of range; asyncpg's own word for what no parameter can carry
    "23": Fault.RECORD,  # integrity constraint
    "25": Fault.CONNECTION,  # invalid transaction state: a read-only server, idle too long
    "26": Fault.CONNECTION,  # a prepared statement that this server does not have
    "28": Fault.CONNECTION,  # login refused, as after a rotated password
    "3D": Fault.DEPLOYMENT,  # no such database
    "3F": Fault.DEPLOYMENT,  # no such schema
    "40": Fault.CONTENTION,  # serialization failure, deadlock
    "42": Fault.DEPLOYMENT,  # no such table or column, as in a rollout, or no right to it: values never decide that
    "44": Fault.RECORD,  # a view's check
    "53": Fault.CONTENTION,  # out of resources, of locks too
    "54": Fault.RECORD,  # larger than a limit of the program's, as an index row
    "55": Fault.CONTENTION,  # lock not available
    "57": Fault.CONNECTION,  # shut down, starting, recovery
    "57014": Fault.CONTENTION,  # cancelled
    "58": Fault.CONNECTION,  # the server's disk
    "72": Fault.CONTENTION,  # snapshot too old
    "F0": Fault.DEPLOYMENT,  # the server's configuration
    "P0": Fault.RECORD,  # raised by a trigger
}
"""A whole state before its class (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""

DRIVERS: Final[Mapping[type[BaseException], Fault]] = {
    asyncpg.InterfaceError: Fault.CONNECTION,
    asyncpg.InternalClientError: Fault.CONNECTION,
    PoolTimeoutError: Fault.CONTENTION,
    NoResultFound: Fault.RECORD,
    MultipleResultsFound: Fault.RECORD,
    KafkaError: Fault.CONNECTION,
    httpx.HTTPError: Fault.CONNECTION,
    TimeoutError: Fault.CONNECTION,
    OSError: Fault.CONNECTION,
}
"""By exception, the nearest class first; SQLAlchemy's wrapping is taken off before."""

PACKAGES: Final = frozenset(
    {
        "aiokafka",
        "anyio",
        "asyncio",
        "asyncpg",
        "faststream",
        "httpcore",
        "httpx",
        "sqlalchemy",
        "ssl",
        "stripe",
        "uvloop",
    }
)
"""What carries our work. Whatever comes out of it and no row names is the connection's fault."""


def fault_of(error: BaseException) -> Fault:
    """Return whose fault `error` is. An exception of no driver, as a handler raises, is the record's."""
    return named_fault(error) or (Fault.CONNECTION if of_a_driver(_unwrapped(error)) else Fault.RECORD)


def named_fault(error: BaseException) -> Fault | None:
    """Return whose fault `error` is where a row says so, or the database raised it; None: its origin alone can tell."""
    origin = _unwrapped(error)
    for kind in type(origin).__mro__:
        if kind in DRIVERS:
            return DRIVERS[kind]
    state = sqlstate(error)
    if state is not None:
        return SQLSTATES.get(state) or SQLSTATES.get(state[:2]) or Fault.CONNECTION
    return Fault.CONNECTION if isinstance(error, DBAPIError) else None


def of_a_driver(error: BaseException) -> bool:
    """Return whether `error` is an exception of what carries our work, or was raised in there."""
    return _package(type(error).__module__) in PACKAGES or _package(_raised_in(error)) in PACKAGES


def through_a_driver(error: BaseException) -> bool:
    """Return whether `error` came out of what carries our work, however deep it was raised: a socket, a timeout."""
    return of_a_driver(error) or any(_package(module) in PACKAGES for module in _modules(error.__traceback__))


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's error code, whichever layer wrapped it; None when the error is not the database's."""
    origin: Any = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    return str(code) if code else None


def _unwrapped(error: BaseException) -> BaseException:
    """Return what the driver raised: SQLAlchemy's own error, and that of its adapter, each have it as their cause."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return error
    return error.orig.__cause__ or error.orig


def _raised_in(error: BaseException) -> str:
    return next(iter(reversed(list(_modules(error.__traceback__)))), "")


def _modules(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield str(trace.tb_frame.f_globals.get("__name__", ""))
        trace = trace.tb_next


def _package(module: str) -> str:
    return module.partition(".")[0]
