"""The visitor's locale: what the browser prefers and Babel knows. Texts are English; amounts and dates are local."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from fastapi import Request

FALLBACK: Final = "en"
MAX_HEADER: Final = 500
MAX_TAGS: Final = 20
_TAG: Final = re.compile(r"\s*([A-Za-z0-9-]{1,35})\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?\s*")


@lru_cache(maxsize=1024)
def locale_of(accept_language: str) -> str:
    """Babel's name for the best language of an Accept-Language header; English when there is none."""
    wanted = []
    for part in accept_language[:MAX_HEADER].split(",")[:MAX_TAGS]:
        match = _TAG.fullmatch(part)
        if match and (weight := float(match[2] or 1)) > 0:
            wanted.append((-weight, match[1]))
    known = (_known(tag) for _, tag in sorted(wanted, key=lambda one: one[0]))
    return next((name for name in known if name), FALLBACK)


def visitors_locale(request: Request) -> str:
    """Of who sent it."""
    return locale_of(request.headers.get("accept-language", ""))


def _known(tag: str) -> str | None:
    """Return the locale that we speak: `de-XX` is German, wherever that may be."""
    for candidate in (tag, tag.partition("-")[0]):
        try:
            return str(Locale.parse(candidate, sep="-"))
        except (ValueError, UnknownLocaleError):
            continue
    return None


def moment_text(moment: datetime, *, locale: str) -> str:
    """In UTC, which it says: nobody tells a server where the visitor is. The browser knows."""
    return f"{format_datetime(moment.astimezone(UTC), 'medium', locale=locale)} UTC"


def day_text(moment: datetime, *, locale: str) -> str:
    """Format the day alone, in UTC, which it says."""
    return f"{format_date(moment.astimezone(UTC), 'long', locale=locale)} (UTC)"
