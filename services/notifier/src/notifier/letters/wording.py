"""Other people's words, made fit for one line of a mail: no line breaks, no control or direction characters."""

import re
import unicodedata
from typing import Final

DIRECTIONS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""They can make a text read differently from what it says."""
BREAKS: Final = frozenset({"Cc", "Cs", "Zl", "Zp", "Zs"})
"""Unicode categories that become a plain space: control, surrogate, line, paragraph and space separators."""


def one_line(text: str, *, limit: int) -> str:
    """`text` on one line, at most `limit` characters, the cut shown by an ellipsis."""
    plain = DIRECTIONS.sub("", text[: limit * 4])
    spaced = "".join(" " if unicodedata.category(char) in BREAKS else char for char in plain)
    line = " ".join(spaced.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
