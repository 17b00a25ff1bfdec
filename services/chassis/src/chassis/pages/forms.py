"""Forms: what was typed, and what is wrong with it, field by field."""

from typing import Final

from fastapi import Request
from pydantic import ValidationError

MOST_FIELDS: Final = 200


async def typed(request: Request) -> list[tuple[str, str]]:
    """The fields of a form in order; files are none. A body that is no form has none."""
    form = await request.form(max_fields=MOST_FIELDS, max_files=0)
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def errors_by_field(error: ValidationError) -> dict[str, str]:
    """The first thing that is wrong with each field, for the `field` macro; "" for the form as a whole."""
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        found.setdefault(str(one["loc"][0]) if one["loc"] else "", one["msg"].removeprefix("Value error, "))
    return found
