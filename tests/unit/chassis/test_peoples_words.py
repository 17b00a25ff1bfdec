"""What is wrong with a form is said to people: no word of pydantic's, no path into a body."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chassis.pages.forms import all_in_words, errors_by_field


class Colour(StrEnum):
    RED = "red"


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=2, max_length=3, pattern="^[a-z]+$")] = "abc"
    number: Annotated[int, Field(ge=1, le=9)] = 1
    choice: Literal["on", "off"] = "on"
    colour: Colour = Colour.RED
    is_new: bool = True
    at: datetime | None = None
    of: UUID | None = None
    bullets: Annotated[list[Annotated[str, Field(max_length=3)]], Field(max_length=2)] = []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": "a"}, "At least 2 characters, please."),
        ({"text": "abcd"}, "At most 3 characters, please."),
        ({"text": "A-1"}, "It is not written like this: look for a character too many, or a part that is missing."),
        ({"text": 7}, "Text, please."),
        ({"number": "x"}, "A whole number, please."),
        ({"number": 1.5}, "A whole number, please."),
        ({"number": 10}, "That is too much."),
        ({"number": 0}, "That is too little."),
        ({"choice": "maybe"}, "Please choose one of those that are offered."),
        ({"colour": "blue"}, "Please choose one of those that are offered."),
        ({"is_new": "perhaps"}, "Yes or no, please."),
        ({"at": "yesterday"}, "A date, please."),
        ({"of": "nobody"}, "There is no such id."),
        ({"bullets": ["a", "b", "c"]}, "At most 2, please."),
        ({"other": 1}, "Nothing is known of this."),
    ],
    ids=str,
)
def test_each_mistake_is_said_in_words(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(given)

    assert errors_by_field(caught.value) == {next(iter(given)): said}


def test_where_it_is_wrong_is_said_in_words_too() -> None:
    errors = [
        {"type": "missing", "loc": ("body", "sort_order"), "msg": "Field required"},
        {"type": "string_too_long", "loc": ("body", "bullets", 0), "msg": "…", "ctx": {"max_length": 3}},
        {"type": "missing", "loc": ("body",), "msg": "Field required"},
    ]

    assert all_in_words(errors) == [
        ("Sort order", "Please fill this in."),
        ("Bullets 1", "At most 3 characters, please."),
        ("", "Please fill this in."),
    ]
