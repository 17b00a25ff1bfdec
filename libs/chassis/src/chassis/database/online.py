"""Steps of migrations that hold up nobody: for tables that are written while they are changed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


def create_index_concurrently(
    name: str, table: str, columns: Sequence[str], *, unique: bool = False, where: str | None = None
) -> None:
    """Make an index, outside of a transaction, while others write the table.

    What a try before left, cut off, is an invalid index of that name: it goes first.
    """
    condition = sa.text(where) if where else None
    with op.get_context().autocommit_block():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            name, table, list(columns), unique=unique, postgresql_where=condition, postgresql_concurrently=True
        )


def drop_index_concurrently(name: str, table: str) -> None:
    """Drop an index, outside of a transaction, while others use the table; one that is gone is left so."""
    with op.get_context().autocommit_block():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
