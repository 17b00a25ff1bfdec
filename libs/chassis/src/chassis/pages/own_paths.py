"""Where people may be sent after signing in: a path of our own, and never anybody else's address."""

import re
from typing import Final

LONGEST: Final = 1500
# One slash: two, or a backslash, which browsers read as one, would name a host.
_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)
SIGNING_IN: Final = "/session/"
SIGNED_IN_HERE: Final = "/session/signed-in"
"""Says that one is signed in, for who has a form open in another tab."""


def own_path(wanted: str | None) -> str | None:
    """Return `wanted` itself when it is one; the pages of signing in, but their last, are no place to come back to."""
    if not wanted or len(wanted) > LONGEST or not _PATH.fullmatch(wanted):
        return None
    return None if wanted.startswith(SIGNING_IN) and wanted != SIGNED_IN_HERE else wanted
