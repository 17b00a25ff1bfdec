"""Rows that stay as they were written: triggers that refuse to change or delete them, also for who owns the tables.

A service's one role owns its database and runs its migrations, so that no grant can take a right from it. Used by
migrations, which stand for ever: what these functions write is never changed.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_CREATED: Final = re.compile(r"create trigger (\w+) .* on (\w+) for each ", re.ASCII)
MAINTENANCE: Final = "set local quittance.maintenance = 'on'"
"""What a person, or a migration, says in the transaction that repairs such rows by hand."""
FUNCTION: Final = """
    create function refuse_change() returns trigger language plpgsql as $$
    begin
        if current_setting('quittance.maintenance', true) = 'on' then
            if tg_level = 'ROW' then
                return new;
            end if;
            return null;
        end if;
        raise exception '% of % is refused: it is kept as it was written', lower(tg_op), tg_table_name
            using errcode = 'restrict_violation',
            hint = 'a repair by hand says: set local quittance.maintenance = ''on''';
    end
    $$
"""
"""SQLSTATE 23001, which is a fault of the record that asked for it, and not of the connection."""


def never_deleted(table: str) -> list[str]:
    """Return the statements that keep every row of `table`."""
    return [
        f"create trigger {table}_never_{verb} before {verb} on {table} for each statement"
        " execute function refuse_change()"
        for verb in ("delete", "truncate")
    ]


def never_changed(table: str) -> list[str]:
    """Return the statements that keep every row of `table` as it is: rows are added, and that is all."""
    never = f"create trigger {table}_never_update before update on {table}"
    return [*never_deleted(table), f"{never} for each statement execute function refuse_change()"]


def written_once(table: str, columns: Sequence[str], *, unless: str = "false") -> list[str]:
    """Return the statements that keep every row of `table`, and these columns of it as they were written.

    An update that names none of them costs nothing. `unless` is a condition on `old` and `new` that allows the change.
    """
    changed = " or ".join(f"old.{column} is distinct from new.{column}" for column in columns)
    name = f"{table}_keeps_{columns[0]}"
    return [
        f"create trigger {name} before update of {', '.join(columns)} on {table} for each row"
        f" when (({changed}) and not ({unless})) execute function refuse_change()"
    ]


def taken_back(statements: Iterable[str]) -> list[str]:
    """Return what takes back those of `statements` that create something, the last one first."""
    triggers = [f"drop trigger {made[1]} on {made[2]}" for made in map(_CREATED.match, reversed([*statements])) if made]
    return [*triggers, "drop function refuse_change()"] if FUNCTION in [*statements] else triggers
