"""Keyset cursors: a page goes on behind the last row that was shown, whatever was added or removed before it."""

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Self, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.problems import Problem

PAGE: Final = 50
LONGEST_PAGE: Final = 200

Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="How many at most")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="`next_cursor` of the page before; none for the first page")
]
NextCursor = Annotated[str | None, Field(description="To be sent as `cursor` for the next page; null on the last one")]


class Position(BaseModel):
    """Behind which row; a list subclasses it with the columns that it is sorted by."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _storable(self) -> Self:
        """PostgreSQL has no text with NUL, not even to compare with."""
        if any("\x00" in value for value in dict(self).values() if isinstance(value, str)):
            raise ValueError("NUL")
        return self


T = TypeVar("T", bound=Position)
Row = TypeVar("Row")


class InvalidCursor(Problem):
    """This is no cursor of this list."""

    def __init__(self) -> None:
        detail = "Send `next_cursor` of the page before as it was, or none to start from the beginning."
        super().__init__(422, "invalid-cursor", "The cursor is none of this list", detail, field="cursor")


def cursor_of(position: Position) -> str:
    """Opaque to callers; URL-safe."""
    return base64.urlsafe_b64encode(position.model_dump_json().encode()).rstrip(b"=").decode()


def position_of(cursor: str | None, kind: type[T]) -> T | None:
    """Return the position in `cursor`; None without one. Raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        return kind.model_validate_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise InvalidCursor from error


def cut_page(found: Sequence[Row], limit: int, position: Callable[[Row], Position]) -> tuple[Sequence[Row], str | None]:
    """Return the first `limit` rows, and the cursor of the page behind them: None unless one row more was found."""
    shown = found[:limit]
    return shown, cursor_of(position(shown[-1])) if len(found) > limit else None
