"""What a form's page showed: a number that only grows, so that what came later can be told from what was seen."""

from collections.abc import Mapping
from typing import Final

LONGEST_NUMBER: Final = 18


def seen_in(fields: Mapping[str, str]) -> int:
    """Of the form's hidden field; nothing was seen where there is none."""
    seen = fields.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < LONGEST_NUMBER else 0
