"""What people may type: text that PostgreSQL, JSON, HTML and a mail header can all carry unharmed."""

import unicodedata
from typing import Final

NOT_TEXT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters (NUL and line ends among them), lone surrogates, line and paragraph ends."""


def one_line(text: str) -> str:
    """Return `text` itself. Raises ValueError for a character that is no text or that ends the line."""
    if any(unicodedata.category(character) in NOT_TEXT for character in text):
        raise ValueError("must be one line of printable text")
    return text


def printable(text: str) -> str:
    """`text` with what PostgreSQL, a terminal or UTF-8 would refuse written as an escape: NUL is `\\x00`."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
