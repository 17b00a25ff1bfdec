"""Forms: what was typed, and what is wrong with it, field by field."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request
from pydantic import ValidationError
from pydantic_core import ErrorDetails

MOST_FIELDS: Final = 200
MOST_SHOWN: Final = 20
LONGEST_NAME: Final = 100
EMPTY: Final = "Please fill this in."
WHOLE_NUMBER: Final = "A whole number, please."
TOO_MUCH: Final = "That is too much."
TOO_LITTLE: Final = "That is too little."
DATE: Final = "A date, please."
ONE_OF: Final = "Please choose one of those that are offered."
WORDS: Final[Mapping[str, str]] = {
    "missing": EMPTY,
    "int_parsing": WHOLE_NUMBER,
    "int_parsing_size": TOO_MUCH,
    "int_type": WHOLE_NUMBER,
    "int_from_float": WHOLE_NUMBER,
    "less_than": TOO_MUCH,
    "less_than_equal": TOO_MUCH,
    "greater_than": TOO_LITTLE,
    "greater_than_equal": TOO_LITTLE,
    "string_type": "Text, please.",
    "string_pattern_mismatch": "It is not written like this: look for a character too many, or a part that is missing.",
    "bool_parsing": "Yes or no, please.",
    "bool_type": "Yes or no, please.",
    "uuid_parsing": "There is no such id.",
    "uuid_type": "There is no such id.",
    "enum": ONE_OF,
    "literal_error": ONE_OF,
    "date_parsing": DATE,
    "date_from_datetime_parsing": DATE,
    "datetime_parsing": DATE,
    "datetime_from_date_parsing": DATE,
    "datetime_type": DATE,
    "extra_forbidden": "Nothing is known of this.",
}
"""By pydantic's name of what is wrong."""


async def typed(request: Request) -> list[tuple[str, str]]:
    """Read a form's fields in order; files are none. A body that is no form has none."""
    form = await request.form(max_fields=MOST_FIELDS, max_files=0)
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def errors_by_field(error: ValidationError) -> dict[str, str]:
    """Return the first thing that is wrong with each field, for the `field` macro; "" for the form as a whole."""
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        found.setdefault(str(one["loc"][0]) if one["loc"] else "", in_words(one))
    return found


def all_in_words(errors: Sequence[Any]) -> list[tuple[str, str]]:
    """Return what each is about, and what is wrong with it, for a page that has no field to say it at."""
    return [(_about(error["loc"][1:]), in_words(error)) for error in errors[:MOST_SHOWN]]


def _about(path: Sequence[int | str]) -> str:
    """`("sort_order",)` → `Sort order`, `("bullets", 0)` → `Bullets 1`; empty for the request as a whole."""
    names = [str(part + 1) if isinstance(part, int) else part.replace("_", " ") for part in path]
    return " ".join(names)[:LONGEST_NAME].capitalize()


def in_words(error: ErrorDetails) -> str:
    """Put what pydantic says for programmers where people meet it into words; our own validators speak for people."""
    bounds = error.get("ctx", {})
    if said := WORDS.get(error["type"]):
        return said
    match error["type"]:
        case "string_too_short" if bounds["min_length"] == 1:
            return EMPTY
        case "string_too_short":
            return f"At least {bounds['min_length']} characters, please."
        case "string_too_long":
            return f"At most {bounds['max_length']} characters, please."
        case "too_long":
            return f"At most {bounds['max_length']}, please."
    return error["msg"].removeprefix("Value error, ")
