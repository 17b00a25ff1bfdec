"""What people may type: text that PostgreSQL, JSON, HTML and a mail header can all carry unharmed."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

from catalog.limits import BULLET_LENGTH, DESCRIPTION_LENGTH, NAME_LENGTH

NOT_TEXT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters (NUL and line ends among them), lone surrogates, line and paragraph ends."""


def one_line(text: str) -> str:
    """`text` itself. Raises ValueError for a character that is no text or that ends the line."""
    if any(unicodedata.category(character) in NOT_TEXT for character in text):
        raise ValueError("must be one line without control characters")
    return text


def paragraph(text: str) -> str | None:
    """`text`, which may have line ends; None when it is empty. Raises ValueError as `one_line` does."""
    if any(unicodedata.category(character) in NOT_TEXT and character not in "\n\r\t" for character in text):
        raise ValueError("must not contain control characters")
    return text or None


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH), AfterValidator(one_line)
]
Description = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=DESCRIPTION_LENGTH), AfterValidator(paragraph)
]
Bullet = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=BULLET_LENGTH), AfterValidator(one_line)
]
