"""Where people may be sent after signing in: a path of our own, and never anybody else's address."""

import re
from typing import Final

LONGEST: Final = 1500
# One slash: two, or a backslash, which browsers read as one, would name a host.
_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)
SIGNING_IN: Final = "/session/"


def own_path(wanted: str | None) -> str | None:
    """`wanted` itself when it is one; the pages of signing in are no place to come back to."""
    if not wanted or len(wanted) > LONGEST or not _PATH.fullmatch(wanted) or wanted.startswith(SIGNING_IN):
        return None
    return wanted
