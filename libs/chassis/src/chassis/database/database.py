"""The database session with the one commit point: nobody but `Database.transaction` commits.

A session whose server cannot help any more (it went, or it became read-only in a failover) is thrown away at the first
error that says so, and none lives longer than SESSION_SECONDS.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Self, cast
from weakref import WeakSet

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import QueuePool

from chassis.backoff import Backoff
from chassis.database import appended
from chassis.process import metrics
from chassis.process.faults import Fault, fault_of, sqlstate
from chassis.process.logs import get_logger, without_values
from chassis.process.retrying import backs_off, counts_back_offs

__all__ = ["Database", "ReadOnlyServer", "call_after_commit", "plain_connection", "sqlstate", "wake_after_commit"]

log = get_logger(__name__)

SESSION_SECONDS: Final = 300
"""The greatest age of a session: what nobody noticed, as a server that moved, is over after that."""
LISTEN_CHECK_SECONDS: Final = 10
COALESCE_SECONDS: Final = 0.005
"""At most one NOTIFY per channel in this time: a NOTIFY in every transaction cost 4x the throughput at 64 clients."""


@asynccontextmanager
async def plain_connection(url: str, *, name: str) -> AsyncIterator[Any]:
    """Open a connection of its own, for what belongs to a session: LISTEN and advisory locks."""
    about_us = {"application_name": name, "tcp_keepalives_idle": "10"}
    connection = await asyncpg.connect(plain_url(url), timeout=5, command_timeout=30, server_settings=about_us)
    try:
        yield connection
    finally:
        connection.terminate()


class ReadOnlyServer(ConnectionError):  # noqa: N818 - named for what it says
    """The server answers and takes no writes: a standby, or a primary of before."""


def wake_after_commit(session: AsyncSession, channel: str) -> None:
    """Have the loops that wait on `channel`, here and in other processes, woken once this transaction is committed."""
    session.info.setdefault("wake", set()).add(channel)


def call_after_commit(session: AsyncSession, done: Callable[[], object]) -> None:
    """Have `done`, which cannot fail, called once this transaction is committed, and never if it is rolled back."""
    session.info.setdefault("done", []).append(done)


_POOLS: Final[WeakSet[AsyncEngine]] = WeakSet()
"""The engines of this process, as the gauges see them."""


def _pools() -> list[QueuePool]:
    return [cast("QueuePool", engine.pool) for engine in _POOLS]


metrics.POOL_IN_USE.set_function(lambda: sum(pool.checkedout() for pool in _pools()))
metrics.POOL_SIZE.set_function(lambda: sum(pool.size() for pool in _pools()))


class Database:
    """One service's database: transactions, and wake-ups of the loops that work on its rows."""

    def __init__(self, url: str, *, name: str, pool_size: int = 10, command_seconds: float = 30) -> None:
        self.url = url
        self.engine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=False,
            pool_recycle=SESSION_SECONDS,
            hide_parameters=True,
            connect_args={
                "timeout": 5,
                "command_timeout": command_seconds,
                "server_settings": {"application_name": name},
            },
        )
        _POOLS.add(self.engine)
        counts_back_offs("listener")
        event.listen(self.engine.sync_engine, "handle_error", _hide_values)
        event.listen(self.engine.sync_engine, "handle_error", _leave_lost_sessions)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._events: dict[str, asyncio.Event] = {}
        self._notifying: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a session whose work is committed at the end, its facts with it, and rolled back on an exception."""
        async with self._sessions() as session:
            async with session.begin():
                yield session
                await session.flush()
                await appended.write(session)
            for done in session.info.pop("done", ()):
                done()
            for channel in session.info.pop("wake", ()):
                self.wake(channel)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a session for reads only, all of one moment: what two of its questions see fits together."""
        async with self._sessions() as session:
            await session.execute(text("set transaction isolation level repeatable read read only"))
            yield session  # closing rolls back, and leaves what was read usable

    def event(self, channel: str) -> asyncio.Event:
        """Set when there may be work on `channel`; its waiter clears it before it looks."""
        return self._events.setdefault(channel, asyncio.Event())

    def wake(self, channel: str) -> None:
        """Wake the waiters of this process now and those of others in a few milliseconds."""
        self.event(channel).set()
        if channel not in self._notifying:
            self._notifying[channel] = asyncio.create_task(self._notify(channel))

    async def listen(self, channel: str, *, turned: Callable[[], None] = lambda: None) -> None:
        """Have the wake-ups of other processes set this process's event, until cancelled; reconnects by itself.

        `turned` is called at each turn of the loop.
        """
        backoff = Backoff(first=0.2, limit=5)
        while True:
            turned()
            try:
                await self._listening(channel, backoff, turned)
            except Exception as error:
                backs_off("listener", error)
            await backoff.sleep()

    async def _listening(self, channel: str, backoff: Backoff, turned: Callable[[], None]) -> None:
        async with plain_connection(self.url, name="listener") as connection:
            await connection.add_listener(channel, lambda *_: self.event(channel).set())
            backoff.reset()
            while not connection.is_closed():
                turned()
                await connection.execute("select 1")
                await asyncio.sleep(LISTEN_CHECK_SECONDS)

    async def _notify(self, channel: str) -> None:
        await asyncio.sleep(COALESCE_SECONDS)
        del self._notifying[channel]
        # A lost NOTIFY costs latency only: every waiter also polls.
        with suppress(Exception):
            async with self.engine.connect() as connection:
                await connection.execute(text("select pg_notify(:channel, '')"), {"channel": channel})
                await connection.commit()

    async def ping(self) -> None:
        """Raise when the database does not answer, and ReadOnlyServer when it takes no writes."""
        async with self.engine.connect() as connection:
            if (await connection.execute(text("show transaction_read_only"))).scalar_one() == "on":
                await connection.invalidate()
                raise ReadOnlyServer("the database's server is read-only")

    async def close(self) -> None:
        """Give all connections back."""
        pending = list(self._notifying.values())
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        _POOLS.discard(self.engine)
        await self.engine.dispose()


def _hide_values(context: Any) -> None:
    """Take the values of a row or an argument out of an error's text: it is logged, and kept with what was parked.

    The driver's own error is one or two causes down, and quotes them apart, as its detail.
    """
    error = context.sqlalchemy_exception or context.original_exception
    while error is not None:
        error.args = tuple(without_values(one) if isinstance(one, str) else one for one in error.args)
        if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
            error.detail = None
        error = error.__cause__ or getattr(error, "orig", None)


def _leave_lost_sessions(context: ExceptionContext) -> None:
    """Have SQLAlchemy drop the session when it is the connection that is at fault, and those that are as old."""
    error = context.sqlalchemy_exception or context.original_exception
    if context.is_disconnect or fault_of(error) is not Fault.CONNECTION:
        return
    context.is_disconnect = True
    # One statement that took too long says nothing about the sessions of others.
    context.invalidate_pool_on_disconnect = not isinstance(context.original_exception, TimeoutError)


def driver_url(url: str) -> URL:
    """Return `postgresql://…` as SQLAlchemy's asyncpg dialect wants it."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def plain_url(url: str) -> str:
    """Return `postgresql://…` as asyncpg wants it, whichever driver `url` names."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
