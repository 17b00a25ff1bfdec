"""Forms: what was typed, and what is wrong with it, field by field."""

from typing import Final

from fastapi import Request
from pydantic import ValidationError
from pydantic_core import ErrorDetails

MOST_FIELDS: Final = 200
EMPTY: Final = "Please fill this in."


async def typed(request: Request) -> list[tuple[str, str]]:
    """The fields of a form in order; files are none. A body that is no form has none."""
    form = await request.form(max_fields=MOST_FIELDS, max_files=0)
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def errors_by_field(error: ValidationError) -> dict[str, str]:
    """The first thing that is wrong with each field, for the `field` macro; "" for the form as a whole."""
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        found.setdefault(str(one["loc"][0]) if one["loc"] else "", in_words(one))
    return found


def in_words(error: ErrorDetails) -> str:
    """What pydantic says for programmers, where people meet it; our own validators speak for people."""
    bounds = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return EMPTY
        case "string_too_short" if bounds["min_length"] == 1:
            return EMPTY
        case "string_too_long":
            return f"At most {bounds['max_length']} characters, please."
        case "int_parsing" | "int_type":
            return "A whole number, please."
        case "less_than" | "less_than_equal":
            return "That is too much."
        case "greater_than" | "greater_than_equal":
            return "That is too little."
    return error["msg"].removeprefix("Value error, ")
