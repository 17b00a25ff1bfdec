"""Counts of rows for gauges, which must cost the same however many rows there are."""

from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, func, literal, select
from sqlalchemy.sql.selectable import FromClause

AT_MOST: Final = 10_000
"""So many rows are counted and no more: a gauge that stands here says "many"."""


def count_up_to(table: FromClause, *where: ColumnElement[bool], at_most: int = AT_MOST) -> ScalarSelect[int]:
    """Return how many rows of `table` fulfil `where`, as an expression; rows beyond `at_most` are not read.

    An index has to answer `where`: rows that are passed over are read, and not counted.
    """
    rows = select(literal(1)).select_from(table).where(*where).limit(at_most)
    return select(func.count()).select_from(rows.subquery()).scalar_subquery()
