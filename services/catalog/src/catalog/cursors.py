"""Keyset cursors: a page goes on behind the last row that was shown, whatever was added or removed before it."""

import base64
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chassis.problems import Problem
from chassis.web import storable

T = TypeVar("T", bound=BaseModel)


class InvalidCursor(Problem):
    """This is no cursor of this list."""

    def __init__(self) -> None:
        detail = "Send `next_cursor` of the page before as it was, or none to start from the beginning."
        super().__init__(422, "invalid-cursor", "The cursor is none of this list", detail, field="cursor")


class AddonPosition(BaseModel):
    """Behind which add-on, in the order of the page."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    sort_order: Annotated[int, Field(ge=-(2**31), lt=2**31)]
    name: Annotated[str, AfterValidator(storable)]
    slug: Annotated[str, AfterValidator(storable)]


class AuditPosition(BaseModel):
    """Behind which entry, the newest first."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    id: Annotated[int, Field(ge=0, lt=2**63)]


def cursor_of(position: BaseModel) -> str:
    """Opaque to callers; URL-safe."""
    return base64.urlsafe_b64encode(position.model_dump_json().encode()).rstrip(b"=").decode()


def position_of(cursor: str | None, kind: type[T]) -> T | None:
    """The position in `cursor`; None without one. Raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        return kind.model_validate_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise InvalidCursor from error
