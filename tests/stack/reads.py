"""How many rows and index entries each statement of a test reads, by PostgreSQL's own counters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import event

from chassis.database.database import Database

COUNTERS: Final = """
    select relname, pg_stat_get_xact_tuples_returned(oid) from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'i')
"""
"""Of a table what sequential scans read, of an index the entries that its scans gave back, wanted or not."""
Counts = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Costly:
    """A statement that read more than it may."""

    statement: str
    read: Counts
    plan: str

    def __str__(self) -> str:
        return f"{self.statement}\n  read {self.read}\n{self.plan}"


@dataclass
class Reads:
    """What was executed, and what of it was too much."""

    statements: int = 0
    most: int = 0
    costly: list[Costly] = field(default_factory=list)


@contextmanager
def every_statement(database: Database, *, reads_at_most: int) -> Iterator[Reads]:
    """Count what each statement reads, of the very plans that the product runs, until the block is left."""
    reads, before = Reads(), {}

    def begin(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        if not statement.startswith("set transaction"):  # which has to be a transaction's first
            before[id(cursor)] = _counts(cursor)

    def end(_: Any, cursor: Any, statement: str, parameters: Any, __: Any, executemany: bool) -> None:
        earlier = before.pop(id(cursor), None)
        if earlier is None:
            return
        read = {name: more for name, now in _counts(cursor).items() if (more := now - earlier.get(name, 0)) > 0}
        reads.statements += 1
        times = len(parameters) if executemany else 1
        reads.most = max(reads.most, sum(read.values()) // times)
        if sum(read.values()) > reads_at_most * times:
            plan = "" if executemany else _explained(cursor, statement, parameters)
            reads.costly.append(Costly(statement=statement, read=read, plan=plan))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    try:
        yield reads
    finally:
        event.remove(engine, "before_cursor_execute", begin)
        event.remove(engine, "after_cursor_execute", end)
    assert reads.costly == [], "\n\n".join(str(one) for one in reads.costly)


def _counts(cursor: Any) -> Counts:
    """On the same connection, behind SQLAlchemy's back, and so uncounted."""
    return dict(_rows(cursor, COUNTERS, ()))


def _explained(cursor: Any, statement: str, parameters: Any) -> str:
    return "\n".join(row[0] for row in _rows(cursor, f"explain {statement}", parameters))


def _rows(cursor: Any, statement: str, parameters: Any) -> list[Any]:
    own = cursor._adapt_connection.cursor()
    try:
        own.execute(statement, parameters)
        return list(own.fetchall())
    finally:
        own.close()
